import { resolve } from 'node:path'
import { openProject } from '../open-project.ts'
import { findCases } from './find-cases.ts'
import { readCases } from './read-cases.ts'
import { type CaseReport, runCases } from './run-cases.ts'

/** What is tested. */
export interface TestOptions {
  /** Files of cases as the caller names them; those beside the policies when empty. */
  readonly files: readonly string[]
  /** What relative names of files are relative to. */
  readonly cwd: string
  /** Instead of that of the project; its policies are to be covered, too. */
  readonly profile?: string
}

/**
 * Runs the cases of the project in a directory.
 *
 * @throws ProjectError, CedarError, WorkbenchError: whatever keeps the cases from being run.
 */
export async function testProject(directory: string, { files, cwd, profile }: TestOptions): Promise<CaseReport> {
  const { operations, workflows, schema, policyFiles, configuration, directory: root } = await openProject(directory, profile)
  const paths = files.length > 0 ? files.map((file) => resolve(cwd, file)) : findCases(root, policyFiles)
  return runCases(
    paths.map((path) => readCases(root, path)),
    {
      ...{ operations, schema, policyFiles },
      workflows: workflows.map(({ workflow }) => workflow),
      timeZone: configuration.timeZone,
      cover: profile === undefined ? ['project'] : ['project', 'profile'],
    },
  )
}
