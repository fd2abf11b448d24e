import { globSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ProjectPolicyFile } from '@tidegate/project'
import { WorkbenchError } from '../error.ts'

/** The name of a file of cases ends so. */
const ENDING = '*.test.yaml'

/**
 * The files of cases that stand beside the policies of a project, as absolute paths in a stable order.
 *
 * @throws WorkbenchError `cases_missing` when there is none.
 */
export function findCases(directory: string, policyFiles: readonly ProjectPolicyFile[]): readonly string[] {
  const own = policyFiles.filter(({ layer }) => layer === 'project')
  const folders = [...new Set(own.map(({ file }) => resolve(directory, dirname(file))))]
  const found = folders.flatMap((folder) => globSync(ENDING, { cwd: folder }).map((name) => join(folder, name)))
  if (found.length > 0) return found.toSorted()
  throw new WorkbenchError(
    'cases_missing',
    'There are no cases beside the policies. Write policies/money.test.yaml; docs/guide/policy-testing.md shows how.',
  )
}
