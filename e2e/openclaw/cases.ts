import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { breakPlugin, hidePlugin, type Stage } from './stage.ts'

/** One thing that is tried with the real programs. `run` answers what was seen; it throws when that is not what must be seen. */
export interface Case {
  readonly name: string
  readonly run: (stage: Stage) => Promise<string>
}

/** Cases that share one way of being connected. */
export interface Chapter {
  readonly title: string
  readonly host: 'observe' | 'enforce'
  readonly server: 'observe' | 'enforce'
  readonly cases: readonly Case[]
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

const exec = (command: string): string => `CALL exec ${JSON.stringify({ command })}`
const ours = (command: string): string => `CALL tidegate__shell_exec ${JSON.stringify({ command })}`
const add = (line: string): string => `CALL tidegate__notes_add ${JSON.stringify({ line })}`

const OBSERVING: readonly Case[] = [
  {
    name: 'what would be denied runs, and is counted',
    async run({ host, gate, happened }) {
      const before = await gate.host()
      await host.say(`Please do this:\n${exec('touch deny-me-observed')}`)
      must(happened('deny-me-observed'), 'Observing stopped a call.')
      const { wouldHave, calls } = await gate.host()
      must(
        calls > before.calls && wouldHave > before.wouldHave,
        `Not counted: ${calls} calls, ${wouldHave} would have been stopped.`,
      )
      return `ran; ${wouldHave} would have been stopped`
    },
  },
  {
    name: 'the server is killed while observing: the agent goes on, and the log says so',
    async run(stage) {
      const { host, gate, happened } = stage
      await gate.stop('SIGKILL')
      await host.say(`Please do this:\n${exec('touch seen-by-nobody')}`)
      await gate.start()
      must(happened('seen-by-nobody'), 'Observing stopped a call.')
      must(logOf(stage).includes('OBSERVE MODE, CALL NOT SEEN'), 'The log does not say it.')
      return 'ran, loudly'
    },
  },
]

const HOOK_ALONE: readonly Case[] = [
  {
    name: 'allowed',
    async run({ host, happened }) {
      const said = await host.say(`Please do this:\n${exec('touch allowed; echo it-ran')}`)
      must(happened('allowed') && said.includes('it-ran'), `It did not run: ${said}`)
      return 'ran'
    },
  },
  {
    name: 'denied',
    async run({ host, happened }) {
      const said = await host.say(`Please do this:\n${exec('touch deny-me')}`)
      must(!happened('deny-me') && said.includes('Tidegate denied this call'), `It ran, or the agent was not told: ${said}`)
      return 'did not run; the agent was told why'
    },
  },
  {
    name: 'asked, and approved after a restart of both sides',
    async run({ host, gate, happened, file }) {
      const message = `Please do this:\n${exec('echo once >> ask-me')}`
      const said = await host.say(message)
      must(!happened('ask-me') && said.includes('pending #'), `Nobody was asked: ${said}`)
      await host.stop()
      await gate.stop('SIGKILL')
      await gate.start()
      await host.start()
      await gate.answer('approve')
      const again = await host.say(message)
      must(happened('ask-me') && readFileSync(file('ask-me'), 'utf8') === 'once\n', `Not once: ${again}`)
      return 'waited; ran once, after the approval'
    },
  },
  {
    name: 'asked, and refused',
    async run({ host, gate, happened }) {
      const message = `Please do this:\n${exec('touch ask-me-refused')}`
      await host.say(message)
      await gate.answer('refuse')
      const said = await host.say(message)
      must(!happened('ask-me-refused'), `It ran: ${said}`)
      return 'did not run'
    },
  },
  {
    name: 'the server is killed',
    async run({ host, gate, happened }) {
      await gate.stop('SIGKILL')
      const said = await host.say(`Please do this:\n${exec('touch while-dead')}`)
      await gate.start()
      must(!happened('while-dead') && said.includes('could not be asked'), `It ran: ${said}`)
      return 'did not run'
    },
  },
  {
    name: 'a call of a sub-agent',
    async run({ host, happened }) {
      const before = JSON.stringify({ task: `Do this:\n${exec('touch deny-me-child')}\n${exec('touch child')}`, label: 'kid' })
      await host.say(`Please do this:\nCALL sessions_spawn ${before}`)
      await until(() => happened('child'))
      must(happened('child') && !happened('deny-me-child'), `child ${happened('child')}, denied ${happened('deny-me-child')}`)
      return 'what is denied did not run, what is allowed did'
    },
  },
  {
    name: '/tools/invoke',
    async run({ host }) {
      const denied = await host.invoke('memory_search', { query: 'deny-me' })
      must(denied.text.includes('Tidegate denied'), `It was not asked about: ${denied.status} ${denied.text}`)
      return `blocked (${denied.status})`
    },
  },
  {
    name: 'another plugin changes the arguments afterwards',
    async run(stage) {
      const { host, gate, happened } = stage
      const before = readFileSync(host.configFile)
      await host.stop()
      stage.addRewriter()
      await host.start()
      await host.say(`Please do this:\n${exec('touch not-rewritten')}`)
      const { others } = await gate.host()
      const seen = logOf(stage).includes('RAN WITH OTHER ARGUMENTS')
      await host.stop()
      stage.edit(() => before.toString('utf8'))
      await host.start()
      must(
        others.some((other) => other.startsWith('rewriter')),
        `It was not named: ${others.join(', ')}`,
      )
      must(!happened('rewritten') || seen, 'It ran with other arguments, and nobody noticed.')
      return `${happened('rewritten') ? 'ran changed, and was reported' : 'ran as decided'}; named: ${others.join(', ')}`
    },
  },
  {
    name: 'an allowed command switches the plugin off',
    async run(stage) {
      const { host, gate, happened } = stage
      const before = readFileSync(host.configFile)
      const { configDigest } = await gate.host()
      const script = `const fs=require("fs");const f=process.env.OPENCLAW_CONFIG_PATH||${JSON.stringify(host.configFile)};fs.writeFileSync(f,fs.readFileSync(f,"utf8").replace(/("tidegate": ?\\{\\s*"enabled": ?)true/,"$1false"))`
      await host.say(`Please do this:\n${exec(`node -e '${script}'`)}`)
      await until(() => false, 6000) // the time of a hot reload
      await host.say(`Please do this:\n${exec('touch deny-me-switched-off')}`)
      const open = happened('deny-me-switched-off')
      await host.stop()
      stage.edit(() => before.toString('utf8'))
      await host.start()
      must(readFileSync(host.configFile).equals(before), 'The configuration was not put back.')
      return open ? `OPEN with the hook alone: it ran (digest before: ${configDigest?.slice(0, 8)})` : 'did not run'
    },
  },
]

const HANDS_TAKEN: readonly Case[] = [
  {
    name: 'the own hands of the agent are gone',
    async run({ host, model, happened }) {
      const said = await host.say(`Please do this:\n${exec('touch by-hand')}\nCALL write {"path":"by-write","content":"x"}`)
      const left = [
        'exec',
        'write',
        'read',
        'edit',
        'apply_patch',
        'process',
        'openclaw',
        'cron',
        'gateway',
        'browser',
        'file_write',
      ]
      const offered = left.filter((tool) => model.offered().includes(tool))
      must(!happened('by-hand') && !happened('by-write') && offered.length === 0, `Offered: ${offered.join(', ')}; ${said}`)
      return `not offered: ${left.join(', ')}`
    },
  },
  {
    name: 'our tool: allowed',
    async run({ host, gate }) {
      const said = await host.say(`Please do this:\n${add('allowed')}`)
      must(gate.notes().filter((note) => note.startsWith('allowed ')).length === 1, `It did not run once: ${said}`)
      return 'ran once'
    },
  },
  {
    name: 'our tool: denied',
    async run({ host, gate }) {
      const said = await host.say(`Please do this:\n${add('deny-me')}`)
      must(!gate.notes().some((note) => note.startsWith('deny-me')) && said.includes('denied'), `It ran: ${said}`)
      return 'did not run'
    },
  },
  {
    name: 'a command in our sandbox: allowed',
    async run({ host, gate }) {
      const said = await host.say(`Please do this:\n${ours('echo it-ran | tee allowed')}`)
      must(textOf(join(gate.workspace, 'allowed')) === 'it-ran\n' && said.includes('it-ran'), `It did not run: ${said}`)
      return 'ran in the sandbox'
    },
  },
  {
    name: 'a command in our sandbox: denied',
    async run({ host, gate }) {
      const said = await host.say(`Please do this:\n${ours('touch deny-me')}`)
      must(!existsSync(join(gate.workspace, 'deny-me')) && said.includes('denied'), `It ran: ${said}`)
      return 'did not run; the agent was told why'
    },
  },
  {
    name: 'a command in our sandbox: asked, and approved after a restart of both sides',
    async run({ host, gate }) {
      const message = `Please do this:\n${ours('echo once >> ask-me')}`
      const said = await host.say(message)
      must(said.includes('pending #') && !existsSync(join(gate.workspace, 'ask-me')), `Nobody was asked: ${said}`)
      await host.stop()
      await gate.stop('SIGKILL')
      await gate.start()
      await host.start()
      await gate.answer('approve')
      const again = await host.say(message)
      must(textOf(join(gate.workspace, 'ask-me')) === 'once\n', `Not once: ${again}`)
      return 'waited; ran once, after the approval'
    },
  },
  {
    name: 'a command in our sandbox reaches for the configuration of OpenClaw',
    async run({ host, gate }) {
      const before = readFileSync(host.configFile)
      const said = await host.say(
        `Please do this:\n${ours(`cat ${host.configFile} ${gate.tokenFile}; echo x >> ${host.configFile}; echo tried`)}`,
      )
      must(readFileSync(host.configFile).equals(before), 'It has changed the configuration.')
      must(!said.includes(gate.token()) && !said.includes('endpoint'), 'It has read the configuration or the token.')
      return said.includes('tried') ? 'ran, and there is no such file' : `did not run: ${said.slice(0, 100)}`
    },
  },
  {
    name: 'a call of our tools without a ticket, straight over MCP',
    async run({ gate }) {
      const before = await gate.host()
      const text = await callOverMcp(gate.url, gate.token(), 'notes_add', { line: 'no-ticket' })
      const forged = await callOverMcp(gate.url, gate.token(), 'notes_add', {
        line: 'no-ticket',
        _tidegate_ticket: `tgt1.${'0'.repeat(64)}`,
      })
      must(!gate.notes().some((note) => note.startsWith('no-ticket')), `It ran: ${text} ${forged}`)
      const { withoutTicket } = await gate.host()
      must(withoutTicket > before.withoutTicket, 'It was not counted.')
      return `refused; ${withoutTicket} counted`
    },
  },
  {
    name: 'the server is killed',
    run: async (stage) =>
      closedWhile(
        stage,
        'server-dead',
        async () => stage.gate.stop('SIGKILL'),
        () => stage.gate.start(),
        false,
      ),
  },
  {
    name: 'the plugin is removed',
    run: async (stage) => {
      let back: () => void = () => undefined
      return closedWhile(stage, 'plugin-gone', async () => { back = hidePlugin(stage) }, async () => back()) // biome-ignore format: short
    },
  },
  {
    name: 'the plugin is edited to a syntax error',
    run: async (stage) => {
      let back: () => void = () => undefined
      return closedWhile(stage, 'plugin-broken', async () => { back = breakPlugin(stage, 'index.js', 'export function register( {') }, async () => back()) // biome-ignore format: short
    },
  },
  {
    name: 'the plugin fails while it is loaded',
    run: async (stage) => {
      let back: () => void = () => undefined
      return closedWhile(stage, 'plugin-throws', async () => { back = breakPlugin(stage, 'index.js', "export const id = 'tidegate'\nexport function register() { throw new Error('no') }\n") }, async () => back()) // biome-ignore format: short
    },
  },
  {
    name: 'the configuration switches the plugin off',
    async run(stage) {
      const before = readFileSync(stage.host.configFile)
      const off = async (): Promise<void> => stage.edit((text) => text.replace(/("tidegate": ?\{\s*"enabled": ?)true/, '$1false'))
      return closedWhile(stage, 'plugin-off', off, async () => stage.edit(() => before.toString('utf8')))
    },
  },
  {
    name: 'another plugin changes the arguments of our tool afterwards',
    async run(stage) {
      const before = readFileSync(stage.host.configFile)
      await stage.host.stop()
      stage.addRewriter()
      await stage.host.start()
      const said = await stage.host.say(`Please do this:\n${add('decided')}`)
      await stage.host.stop()
      stage.edit(() => before.toString('utf8'))
      await stage.host.start()
      must(!stage.gate.notes().some((note) => note.startsWith('rewritten')), `It ran changed: ${said}`)
      return stage.gate.notes().some((note) => note.startsWith('decided'))
        ? 'ran as decided'
        : 'refused: the ticket is for other arguments'
    },
  },
  {
    name: 'a job of the schedule with a command',
    async run(stage) {
      const { host, happened } = stage
      const job = {
        name: 'j',
        schedule: { kind: 'every', everyMs: 60_000 },
        payload: { kind: 'command', argv: ['touch', stage.file('by-cron')] },
      }
      const said = await host.say(`Please do this:\nCALL cron ${JSON.stringify({ action: 'add', job })}`)
      const { stdout } = await host.command('cron', 'list', '--json')
      must(!happened('by-cron') && !stdout.includes('by-cron'), `A job was made: ${said}`)
      return 'the agent cannot make one'
    },
  },
  {
    name: 'a sub-agent has no hands either',
    async run({ host, gate, happened }) {
      const task = JSON.stringify({
        task: `Do this:\n${exec('touch by-child')}\n${add('deny-me-child')}\n${add('child')}`,
        label: 'kid',
      })
      const said = await host.say(`Please do this:\nCALL sessions_spawn ${task}`)
      await until(() => gate.notes().some((note) => note.startsWith('child')), 30_000)
      must(!happened('by-child') && !gate.notes().some((note) => note.startsWith('deny-me')), 'What is denied ran.')
      return gate.notes().some((note) => note.startsWith('child'))
        ? 'only what is allowed ran'
        : `nothing ran: ${said.slice(0, 120)}`
    },
  },
]

/** Everything, in the order in which it is tried. */
export const CHAPTERS: readonly Chapter[] = [
  { title: 'observe', host: 'observe', server: 'observe', cases: OBSERVING },
  { title: 'the hook alone', host: 'observe', server: 'enforce', cases: HOOK_ALONE },
  { title: 'enforce: the hands are taken', host: 'enforce', server: 'enforce', cases: HANDS_TAKEN },
]

/** Does something to one side, tries our tool and a command, and puts it back: nothing may have run. */
async function closedWhile(
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
  must(!happened(name) && !gate.notes().some((note) => note.startsWith(name)), `It ran: ${said}`)
  return said.startsWith('OpenClaw does not start') ? said : 'did not run'
}

/** What a file holds; nothing when there is none. */
function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** What the host has written, on its output and into its log. */
function logOf({ host }: Stage): string {
  return host.output()
}

async function until(holds: () => boolean, ms = 30_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200))
}

/** One `tools/call` as any client makes it that has the token, and not the plugin. */
async function callOverMcp(url: string, token: string, name: string, args: object): Promise<string> {
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
