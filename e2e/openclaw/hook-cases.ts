import { readFileSync } from 'node:fs'
import { type Case, exec, logOf, must, until } from './tries.ts'

/** What the hook does while the agent has its own hands. */
export const HOOK_ALONE: readonly Case[] = [
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
