import type { Client } from '@tidegate/client'
import type { WireDoctor } from '@tidegate/protocol'
import { attemptAsync, type Check, ok, warning, wrong } from './check.ts'

/** What only the server can look at: the sandbox layer by layer, and the upstream MCP servers. */
export async function checkPrerequisites(client: Client): Promise<readonly Check[]> {
  const report = await attemptAsync(() => client.doctor())
  if (report instanceof Error) return [warning('prerequisites', report.message, 'Start the server again after an update.')]
  return [...checkSandbox(report), ...checkUpstream(report)]
}

function checkSandbox({ sandbox }: WireDoctor): readonly Check[] {
  if (sandbox === null) return []
  const missing = sandbox.layers.filter(({ state }) => state === 'missing')
  const leaks = sandbox.leaks.filter(({ state }) => state === 'leaked')
  const held = sandbox.leaks.filter(({ state }) => state === 'held').length
  return [
    sandbox.sound
      ? ok('sandbox', `sound: ${sandbox.layers.length - missing.length} layers, ${held} attempts to get out held`)
      : wrong('sandbox', 'it is not sound: no command is run', 'See the layers below.'),
    ...missing.map(({ name, detail, required, get }) => {
      const cure = get ?? 'Nothing can be got for it on this machine.'
      return required ? wrong(`sandbox ${name}`, detail, cure) : warning(`sandbox ${name}`, detail, cure)
    }),
    ...leaks.map(({ name, detail }) =>
      wrong(`sandbox ${name}`, `something gets out: ${detail}`, 'Run no commands here; tell us about this machine.'),
    ),
  ]
}

function checkUpstream({ upstream }: WireDoctor): readonly Check[] {
  return upstream.flatMap(({ server, state, transport, operations, issues, detail }) => {
    const name = `mcp ${server}`
    const said = `${transport}, ${state}, ${operations} operations`
    const main =
      state === 'failing' || state === 'closed'
        ? wrong(name, `${said}: ${detail || 'it cannot be reached'}`, `Look at its entry in tidegate.yaml, and start it by hand.`)
        : ok(name, said)
    return [main, ...issues.map((issue) => warning(name, issue, `Write it into the overlay: tidegate mcp draft ${server}`))]
  })
}
