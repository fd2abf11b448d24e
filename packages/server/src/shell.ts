import { createHash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SHELL_TOOL } from '@tidegate/host-tools'
import type { Sandbox } from '@tidegate/kernel'
import type { Configuration } from '@tidegate/project'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '@tidegate/sandbox-bwrap'
import { createShell, type Shell } from '@tidegate/tools-exec'
import { createJavaScript, type JavaScriptTool } from '@tidegate/tools-quickjs'

/** Opens the tool that computes, where the project has one. */
export function openJavaScript({ javascript }: Pick<Configuration, 'javascript'>): JavaScriptTool | undefined {
  if (javascript === undefined) return undefined
  return createJavaScript({ timeoutMs: javascript.timeout, memoryBytes: javascript.memory * 1_048_576 })
}

/** Where only root writes, and everybody may pass. */
const RUN = '/run'

/**
 * Where a sandbox keeps what it is made of. When we are root its commands run as somebody else, who cannot pass the state directory;
 * nothing in there is secret.
 */
function scratchOf(directory: string): string {
  if (process.getuid?.() !== 0 || !existsSync(RUN)) return join(directory, 'sandbox')
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  return join(RUN, 'tidegate', name)
}

/** The tool for commands, with what its sandbox is made of. */
export interface OwnShell extends Shell {
  readonly probe: Sandbox['probe']
}

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
}): OwnShell | undefined {
  if (exec === undefined) return undefined
  const { contents, egress, environment, exclude, timeout, memory, processes } = exec
  const directory = join(stateDirectory, 'exec')
  const scratch = scratchOf(directory)
  const sandbox = createBwrapSandbox({ directory: scratch, adoptWorkspace: true })
  const shell = createShell({
    ...{ tool: SHELL_TOOL, contents, egress, environment, sandbox },
    workspace: resolve(project, exec.workspace),
    directory,
    limits: { ...DEFAULT_SANDBOX_LIMITS, wallMs: timeout, memoryBytes: memory * 1_048_576, processes },
    snapshots: { exclude },
  })
  return {
    ...shell,
    probe: () => sandbox.probe(),
    async close() {
      await shell.close()
      rmSync(scratch, { recursive: true, force: true })
    },
  }
}
