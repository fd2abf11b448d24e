import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { type HostProject, openHostProject } from '../src/host-project.ts'

const TIDEGATE = fileURLToPath(new URL('../../packages/cli/bin/tidegate.js', import.meta.url))
const execute = promisify(execFile)

let host: HostProject
afterEach(() => host.close())

interface Proof {
  readonly proven: boolean
  readonly hosts: readonly { readonly surfaces: readonly Way[]; readonly faces: readonly Way[] }[]
  readonly faces: readonly Way[]
}
interface Way {
  readonly name: string
  readonly state: string
  readonly detail: string
}

/** The command line, as a person of the project. */
async function tidegate(...args: readonly string[]): Promise<{ readonly code: number; readonly said: unknown }> {
  const words = [TIDEGATE, ...args, '--json', '--project', host.project]
  const { stdout, code } = await execute(process.execPath, words, { cwd: host.project }).then(
    (done) => ({ ...done, code: 0 }),
    (error: unknown) => error as { readonly stdout: string; readonly code: number },
  )
  return { code, said: JSON.parse(stdout) }
}

const client = (): string => join(host.project, 'client.json')
const connect = () => tidegate('connect', 'mcp', '--name', 'claw', '--config', client())
const statesOf = (ways: readonly Way[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(ways.map(({ name, state }) => [name, state]))

/** An MCP client that is only observed, connected to the real server. */
async function observed(more = ''): Promise<void> {
  host = await openHostProject(more === '' ? {} : { host: more })
  const file = join(host.project, 'tidegate.yaml')
  await host.server.stop()
  writeFileSync(file, readFileSync(file, 'utf8').replace('mode: enforce', 'mode: observe'))
  await host.restart()
  expect((await connect()).code).toBe(0)
}

describe('doctor --prove, against the real server', () => {
  test('an MCP client that is connected is proved, and may then be enforced', async () => {
    await observed()
    expect((await tidegate('connect', 'mcp', '--name', 'claw', '--config', client(), '--enforce')).code).toBe(4)
    const { code, said } = await tidegate('doctor', '--prove', 'claw')
    const proof = said as Proof
    expect([code, proof.proven]).toEqual([0, true])
    expect(statesOf(proof.hosts[0]?.surfaces)).toEqual({ mcp: 'intercepted' })
    expect(statesOf(proof.hosts[0]?.faces)).toEqual({
      'host-calls': 'intercepted',
      'mcp-2025-11-25': 'intercepted',
      'mcp-2026-07-28': 'intercepted',
      'other-token': 'refused',
    })
    expect(statesOf(proof.faces)).toEqual({ 'http-trigger': 'refused', cli: 'refused', authzen: 'refused' })
    const runs = await host.client().runs({ workflow: 'host-claw' })
    expect(runs.length).toBe(4)
    expect((await tidegate('doctor')).said).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: 'host claw', state: 'ok' })]),
    })
    expect((await tidegate('connect', 'mcp', '--name', 'claw', '--config', client(), '--enforce')).code).toBe(0)
  }, 60_000)

  test('an entry that somebody has bent goes nowhere, and is not proved', async () => {
    await observed()
    writeFileSync(client(), readFileSync(client(), 'utf8').replaceAll('tidegate.js', 'tidegate-gone.js'))
    const { code, said } = await tidegate('doctor', '--prove', 'claw')
    expect([code, statesOf((said as Proof).hosts[0]?.surfaces)]).toEqual([1, { mcp: 'unfired' }])
    const refused = await tidegate('connect', 'mcp', '--name', 'claw', '--config', client(), '--enforce')
    expect(refused.said).toMatchObject({ code: 'host_unproven' })
  }, 60_000)

  test('where tickets are needed, a canary without one is refused, and recorded', async () => {
    host = await openHostProject({ host: '    tickets: required\n' })
    const record = { tool: 'shell_exec', session: 's', call: 'c', arguments: { command: 'ls' }, by: 'tidegate' }
    expect((await host.ask('calls', record)).body).toMatchObject({ answer: 'ticket' })
    await tidegate('connect', 'mcp', '--name', 'claw', '--config', client(), '--enforce', '--unproven')
    const { said } = await tidegate('doctor', '--prove', 'claw')
    const faces = (said as Proof).hosts[0]?.faces ?? []
    for (const name of ['mcp-2025-11-25', 'mcp-2026-07-28']) {
      const face = faces.find((each) => each.name === name)
      expect([name, face?.state, face?.detail]).toEqual([name, 'intercepted', expect.stringContaining('refused: no ticket')])
    }
  }, 60_000)
})

test('a host that enforces and was never proved is noticed: to people, and in the ledger', async () => {
  host = await openHostProject()
  expect(await host.client().hosts()).toMatchObject([{ notices: [{ kind: 'unproven' }] }])
  const deadline = Date.now() + 20_000
  while (!host.server.stderr().includes('host_noticed') && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 200))
  expect(host.server.stderr()).toContain('host claw is unproven: it is enforced, and was never proved (host_noticed)')
}, 60_000)

test('the canaries of a host, and the doctor, are for people only', async () => {
  host = await openHostProject()
  const token = readFileSync(join(host.project, '.tidegate', 'tokens', 'host-claw.token'), 'utf8').trim()
  const get = async (path: string, headers: Record<string, string>) => (await fetch(`${host.url}${path}`, { headers })).status
  const nonce = `tidegate-canary-${'0'.repeat(32)}`
  const paths = [`/v1/hosts/claw/canaries?nonce=${nonce}&sinceMs=0`, '/v1/doctor']
  for (const path of paths) expect([path, await get(path, { authorization: `Bearer ${token}` })]).toEqual([path, 401])
  const mei = readFileSync(join(host.project, '.tidegate', 'tokens', 'mei.token'), 'utf8').trim()
  expect(await get('/v1/hosts/claw/canaries?nonce=id&sinceMs=0', { authorization: `Bearer ${mei}` })).toBe(400)
  expect(await host.client().canaries('claw', { nonce, sinceMs: 0 })).toEqual([])
  expect(await host.client().doctor()).toMatchObject({
    sandbox: { layers: expect.arrayContaining([expect.anything()]) },
    upstream: [],
  })
}, 60_000)
