import { join, resolve } from 'node:path'
import type { Configuration } from '@tidegate/project'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '@tidegate/sandbox-bwrap'
import { createShell, type Shell } from '@tidegate/tools-exec'

/** The name under which commands are operations: `shell.exec` and its kin. */
export const SHELL_TOOL = 'shell'

/**
 * Opens the tool for commands, where the project has one. Nothing is run yet: the sandbox proves itself before the first command, and
 * refuses it where a layer is missing.
 */
export function openShell({
  configuration: { exec },
  project,
  stateDirectory,
}: {
  readonly configuration: Pick<Configuration, 'exec'>
  readonly project: string
  readonly stateDirectory: string
}): Shell | undefined {
  if (exec === undefined) return undefined
  const { contents, egress, environment, exclude, timeout, memory, processes } = exec
  const directory = join(stateDirectory, 'exec')
  return createShell({
    ...{ tool: SHELL_TOOL, contents, egress, environment },
    workspace: resolve(project, exec.workspace),
    directory,
    sandbox: createBwrapSandbox({ directory: join(directory, 'sandbox'), adoptWorkspace: true }),
    limits: { ...DEFAULT_SANDBOX_LIMITS, wallMs: timeout, memoryBytes: memory * 1_048_576, processes },
    snapshots: { exclude },
  })
}
