import type { ProjectPolicyFile } from '@tidegate/project'
import { openProject } from '../open-project.ts'

/**
 * The policies of the project in a directory as texts: what a server is sent that is to bring them into force. What is built in is not
 * among them, since a server adds its own.
 *
 * @throws ProjectError, ToolsError.
 */
export async function policyTexts(directory: string): Promise<readonly ProjectPolicyFile[]> {
  const { policyFiles } = await openProject(directory)
  return policyFiles.filter(({ layer }) => layer !== 'builtin')
}
