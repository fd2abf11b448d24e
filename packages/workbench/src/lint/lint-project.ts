import { openProject } from '../open-project.ts'
import { lintPolicies, type LintReport } from './lint-policies.ts'

/** Lints the policies of the project in a directory. @throws ProjectError when the rest of the project does not load. */
export async function lintProject(directory: string): Promise<LintReport> {
  const { policyFiles, schema, configuration } = await openProject(directory)
  return lintPolicies({ policyFiles, schema, people: configuration.people })
}
