import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { SERVER_MAIN } from '../process/start-server.ts'
import { findProject } from '../project/find-project.ts'
import type { Shell } from '../shell.ts'

const DRAFT_MS = 120_000
const MAX_DRAFT = 4_194_304
const execute = promisify(execFile)

/** Prints the draft of an overlay for an upstream MCP server: every tool that it has now, commented out, with what it says of itself. */
export async function mcpDraft(shell: Shell, server: string): Promise<ExitCode> {
  const args = [SERVER_MAIN, '--project', findProject(shell), '--draft-overlay', server]
  const options = { timeout: DRAFT_MS, maxBuffer: MAX_DRAFT, signal: shell.signal }
  const { stdout } = await execute(process.execPath, args, options).catch((cause: unknown) => {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    throw new CliError(
      'draft_failed',
      said
        .split('\n')
        .at(-1)
        ?.replace(/^tidegate: (?:\w+: )?/, '') || 'The draft could not be written.',
      { cause },
    )
  })
  shell.result({ server, overlay: stdout }, (view) => view.overlay.trimEnd())
  return EXIT.ok
}
