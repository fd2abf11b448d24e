import { describeLine } from './describe.ts'
import type { Definition, Definitions } from './definition.ts'
import { sayName } from './definition.ts'
import { verbOf } from './operation-id.ts'
import type { McpPorts, McpServer } from './server.ts'
import { checkServers } from './create-mcp-tools.ts'
import { createUpstream } from './upstream.ts'

/**
 * Writes an overlay for a server, from what the live server says: YAML with a comment for each tool. Every tool is commented out until somebody
 * has looked at it, so that an overlay which was only drafted classifies nothing.
 *
 * @throws ToolsMcpError when the server cannot be reached or listed.
 */
export async function draftOverlay(server: McpServer, ports: McpPorts): Promise<string> {
  checkServers([server])
  const { memory: _, ...others } = ports // a draft changes nothing that is remembered
  const upstream = createUpstream({ ...server, overlay: {} }, others, () => undefined)
  try {
    await upstream.check()
    return writeDraft(server, upstream.live() ?? { tools: new Map(), issues: [] })
  } finally {
    await upstream.close()
  }
}

const HEAD = [
  'Each tool of the server stands here commented out. Take the # away where you have made up your mind; until then a tool is unclassified: a',
  'write of high risk, which is asked about. What the server says of itself is a hint from a stranger. "hidden: true" takes a tool away for good.',
]

/** The text of a draft. */
export function writeDraft({ name }: Pick<McpServer, 'name'>, { tools, issues }: Definitions): string {
  const lines = [
    `# What the tools of the MCP server ${name} do, in the words of the owner of this project.`,
    ...HEAD.map((line) => `# ${line}`),
    ...issues.map((issue) => `# Left out: ${comment(issue)}`),
    '',
    '# For the tools below that do not say it themselves.',
    'defaults:',
    '  dataClass: internal   # public | internal | customer | regulated | secret',
    '  blastRadius: single   # single | batch | cross-system | admin',
    '  risk: medium          # low | medium | high | critical',
    '',
    'tools:',
    ...[...tools.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).flatMap((definition) => writeTool(name, definition)),
  ]
  return `${lines.join('\n')}\n`
}

function writeTool(server: string, definition: Definition): readonly string[] {
  const { name, title, description, hints, findings, notes, input } = definition
  const required = Array.isArray(input.required) ? input.required.filter((each) => typeof each === 'string') : []
  const records = required.map((each) => `/${each.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  const isRead = hints.readOnly === true
  const isLoss = hints.destructive === true && !isRead
  const says = Object.entries(hints).map(([hint, value]) => `${hint}: ${value}`)
  return [
    '',
    `  # ${comment(sayName(name))} -> ${server}.${verbOf(name)}: ${comment(title)}`,
    ...(description === '' ? [] : [`  #   ${comment(description)}`]),
    `  #   the server says, unverified: ${says.length === 0 ? 'nothing' : says.join(', ')}`,
    ...(findings.length === 0 ? [] : [`  #   LOOK TWICE, found in its description: ${findings.join(', ')}`]),
    ...notes.map((note) => `  #   note: ${comment(note)}`),
    `  # ${quoted(name)}:`,
    `  #   mutability: ${isRead ? 'read' : isLoss ? 'destructive' : 'write'}`,
    ...(isRead
      ? []
      : [
          '  #   reversibility: irreversible   # or reversible | compensable, with compensate',
          `  #   records: ${JSON.stringify(records)}   # the required arguments: keep those that name what is touched`,
          '  #   nature: []   # financial, message, customer-visible, sharing, deletion, credential, schedule, skill, code, egress',
        ]),
  ]
}

/** A name as a key of YAML, in which nothing is hidden: what is not plain ASCII is escaped. */
function quoted(name: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(name).replace(/[^\x20-\x7e]/g, escaped)
}

/** One line that stays a comment. */
function comment(text: string): string {
  return describeLine(text, 160).text
}
