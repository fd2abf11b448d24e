import { existsSync, readFileSync } from 'node:fs'
import type { Stage } from './stage.ts'

/** One thing that is tried with the real programs. `run` answers what was seen; it throws when that is not what must be seen. */
export interface Case {
  readonly name: string
  readonly run: (stage: Stage) => Promise<string>
}

/** Fails a case. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Lines that the model turns into calls: OpenClaw's own command, ours, and our notes. */
export const exec = (command: string): string => `CALL exec ${JSON.stringify({ command })}`
export const ours = (command: string): string => `CALL tidegate__shell_exec ${JSON.stringify({ command })}`
export const add = (line: string): string => `CALL tidegate__notes_add ${JSON.stringify({ line })}`

/** Does something to one side, tries our tool and a command, and puts it back: nothing may have run. */
export async function closedWhile(
  stage: Stage,
  name: string,
  undo: () => Promise<void>,
  redo: () => Promise<void>,
  restart = true,
): Promise<string> {
  const { host, gate, happened } = stage
  if (restart) await host.stop()
  await undo()
  let said: string
  try {
    if (restart) await host.start()
    said = await host.say(`Please do this:\n${exec(`touch ${name}`)}\n${add(name)}`)
  } catch (error) {
    said = `OpenClaw does not start: ${error instanceof Error ? error.message.slice(0, 80) : ''}`
  } finally {
    if (restart) await host.stop()
    await redo()
    if (restart) await host.start()
  }
  await gate.host() // a server that is not there would prove nothing
  must(!happened(name) && !gate.notes().some((note) => note.startsWith(name)), `It ran: ${said}`)
  return said.startsWith('OpenClaw does not start') ? said : 'did not run'
}

/** What a file holds; nothing when there is none. */
export function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** What the host has written, on its output and into its log. */
export function logOf({ host }: Stage): string {
  return host.output()
}

export async function until(holds: () => boolean, ms = 30_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200))
}

/** One `tools/call` as any client makes it that has the token, and not the plugin. */
export async function callOverMcp(url: string, token: string, name: string, args: object): Promise<string> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const send = (body: object) =>
    fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...body }) })
  const clientInfo = { name: 'e2e', version: '1' }
  const hello = await send({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  })
  must(hello.ok, `MCP does not answer: ${hello.status} ${await hello.text()}`)
  const session = hello.headers.get('mcp-session-id')
  if (session !== null) headers['mcp-session-id'] = session
  headers['mcp-protocol-version'] = '2025-11-25'
  await send({ method: 'notifications/initialized' })
  return (await send({ id: 2, method: 'tools/call', params: { name, arguments: args } })).text()
}
