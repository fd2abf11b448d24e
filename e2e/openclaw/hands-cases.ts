import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { breakPlugin, hidePlugin } from './stage.ts'
import { type Case, add, callOverMcp, closedWhile, exec, must, ours, textOf, until } from './tries.ts'

/** What is left of an agent whose hands are taken, and what becomes of it without the plugin. */
export const HANDS_TAKEN: readonly Case[] = [
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
