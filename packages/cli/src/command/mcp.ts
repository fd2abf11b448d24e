import { join } from 'node:path'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { bridge } from '../mcp/bridge.ts'
import { findProject, stateDirectory } from '../project/find-project.ts'
import { findToken, namesIn } from '../project/find-token.ts'
import { findServer } from '../project/running-server.ts'
import type { Shell } from '../shell.ts'

/** Tokens of hosts stand beside those of people, under names of their own. */
const HOST = 'host-'

/**
 * Speaks MCP over stdin and stdout for a client that cannot speak HTTP, as the host that it is. Nothing but messages goes to stdout. Ends
 * when the client closes stdin.
 */
export async function mcp(shell: Shell, flags: { readonly host?: string }): Promise<ExitCode> {
  const { server } = shell.options
  const token = findToken(asHost(shell, flags.host), 'change')
  const url = new URL('/mcp', parseServer(server ?? serverOf(shell)))
  const input = process.stdin.setEncoding('utf8')
  shell.signal.addEventListener('abort', () => input.destroy(), { once: true })
  try {
    await bridge({
      url,
      token,
      input,
      write: (message) => void process.stdout.write(`${message}\n`),
      note: (text) => shell.note(`tidegate mcp: ${text}`),
      signal: shell.signal,
    })
  } catch (error) {
    if (!shell.signal.aborted) throw error
  }
  return shell.signal.aborted ? EXIT.interrupted : EXIT.ok
}

/** The shell of a host: with its token, and never that of a person. */
function asHost(shell: Shell, host: string | undefined): Shell {
  if (shell.options.tokenFile !== undefined) return shell
  const named = host ?? onlyHost(shell)
  return { ...shell, options: { ...shell.options, as: `${HOST}${named}` } }
}

function onlyHost(shell: Shell): string {
  const directory = join(stateDirectory(findProject(shell)), 'tokens')
  const hosts = namesIn(directory).flatMap((name) => (name.startsWith(HOST) ? [name.slice(HOST.length)] : []))
  const [first] = hosts
  if (first !== undefined && hosts.length === 1) return first
  const why =
    first === undefined
      ? 'This project lists no hosts, or the server has not run yet.'
      : `There are several: ${hosts.join(', ')}.`
  throw new CliError('usage_invalid', `Say which host this is with --host. ${why}`)
}

function serverOf(shell: Shell): string {
  const project = findProject(shell)
  const running = findServer(project)
  if (running === undefined)
    throw new CliError('server_not_running', `No server runs for ${project}. Start it with \`tidegate up\`.`)
  return running.url
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new CliError('usage_invalid', 'The server must be like http://127.0.0.1:7443.')
}
