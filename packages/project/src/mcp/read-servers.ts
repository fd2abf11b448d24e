import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Overlay } from '@tidegate/kernel'
import type { Configuration } from '../configuration/schema.ts'
import { ProjectError } from '../error.ts'
import { nearestName } from '../yaml/did-you-mean.ts'
import { writeProblem } from '../yaml/problem.ts'
import { parseOverlay } from './parse-overlay.ts'

/** A value that a server is given. */
export type McpGiven = { readonly secret: string; readonly prefix?: string } | { readonly value: string }

/** One upstream MCP server of a project, with its overlay: what the adapter takes. */
export interface ProjectMcpServer {
  readonly name: string
  readonly title?: string
  readonly transport:
    | {
        readonly kind: 'stdio'
        readonly command: string
        readonly args: readonly string[]
        readonly env: Readonly<Record<string, McpGiven>>
        readonly cwd?: string
      }
    | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, McpGiven>> }
  readonly overlay: Overlay
  readonly protocol: 'auto' | '2025' | '2026'
  readonly start: 'eager' | 'lazy'
  readonly startTimeoutMs: number
  readonly timeoutMs: number
  readonly recheckMs: number
}

const SHOWN = 20

/**
 * The upstream MCP servers that a configuration names, with their overlays read and checked. Nothing is started or connected.
 *
 * @throws ProjectError `configuration_invalid` with a line for each problem, in an overlay or with a secret that nobody declares.
 */
export function readMcpServers(
  project: string,
  { mcp, secrets }: Pick<Configuration, 'mcp' | 'secrets'>,
): readonly ProjectMcpServer[] {
  const wrong: string[] = []
  const servers = mcp.map((server, i): ProjectMcpServer => {
    const { name, title, stdio, http, protocol, start, startTimeout, timeout, recheck } = server
    const given = stdio === undefined ? (http?.headers ?? {}) : stdio.env
    const place = `tidegate.yaml: mcp[${i}].${stdio === undefined ? 'http.headers' : 'stdio.env'}`
    wrong.push(...undeclared(given, secrets).map(([key, message]) => `${place}.${key}: ${message}`))
    const overlay = server.overlay === undefined ? {} : readOverlay(project, server.overlay, wrong)
    return {
      name,
      ...(title === undefined ? {} : { title }),
      transport:
        stdio === undefined
          ? { kind: 'http', url: http?.url ?? '', headers: plainGiven(given) }
          : {
              kind: 'stdio',
              command: stdio.command.includes('/') ? resolve(project, stdio.command) : stdio.command,
              args: stdio.args,
              env: plainGiven(given),
              ...(stdio.cwd === undefined ? {} : { cwd: resolve(project, stdio.cwd) }),
            },
      overlay,
      protocol,
      start,
      startTimeoutMs: startTimeout,
      timeoutMs: timeout,
      recheckMs: recheck,
    }
  })
  if (wrong.length === 0) return servers
  throw new ProjectError('configuration_invalid', `MCP servers are refused:\n${wrong.slice(0, SHOWN).join('\n')}`)
}

type Given = { readonly secret: string; readonly prefix?: string | undefined } | { readonly value: string }

function plainGiven(given: Readonly<Record<string, Given>>): Readonly<Record<string, McpGiven>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, each]): [string, McpGiven] => {
      if ('value' in each) return [name, { value: each.value }]
      return [name, { secret: each.secret, ...(each.prefix === undefined ? {} : { prefix: each.prefix }) }]
    }),
  )
}

function undeclared(
  given: Readonly<Record<string, Given>>,
  secrets: Configuration['secrets'],
): readonly (readonly [string, string])[] {
  return Object.entries(given).flatMap(([key, each]): readonly (readonly [string, string])[] => {
    if ('value' in each || Object.hasOwn(secrets, each.secret)) return []
    const near = nearestName(each.secret, Object.keys(secrets))
    return [[key, `No secret "${each.secret}" stands under secrets.${near === undefined ? '' : ` Did you mean "${near}"?`}`]]
  })
}

function readOverlay(project: string, file: string, wrong: string[]): Overlay {
  let text: Uint8Array
  try {
    text = readFileSync(resolve(project, file))
  } catch {
    wrong.push(`${file}: This overlay cannot be read. Draft one from the server with: tidegate mcp draft NAME`)
    return {}
  }
  const answer = parseOverlay(text, file)
  if (answer.ok) return answer.overlay
  wrong.push(...answer.problems.map(writeProblem))
  return {}
}
