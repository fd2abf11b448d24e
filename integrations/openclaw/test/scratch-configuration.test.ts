import { expect, test } from 'vitest'
import { agentOf, scratchConfiguration } from '../src/scratch-configuration.ts'
import { readConfiguration } from '../src/configuration.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const SCRATCH = {
  ...{
    port: 4_000,
    gatewayToken: 'scratch-token',
    modelUrl: 'http://127.0.0.1:9',
    workspace: '/scratch/ws',
    logFile: '/scratch/log',
  },
  canaries: ['/node', '/canary.ts', '/scratch/written'] as const,
}
const MINE = `// mine
{
  gateway: { port: 18789, bind: 'lan', auth: { mode: 'token', token: 'the-real-one' }, tailscale: { mode: 'serve' } },
  channels: { telegram: { botToken: 'secret' } },
  hooks: { enabled: true, token: 'x' },
  models: { providers: { real: { apiKey: 'sk-real' } } },
  agents: { defaults: { model: { primary: 'real/big' }, heartbeat: { every: '30m' } },
    list: [{ id: 'a', model: 'real/big', workspace: '/home/me' }, { id: 'b', default: true, tools: { deny: ['exec'] } }] },
  plugins: { entries: { tidegate: { enabled: true, config: { configFile: '/home/me/openclaw.json' } }, other: { enabled: true } } },
  mcp: { servers: { tidegate: { command: 'node' }, files: { command: 'files' } } },
  tools: { deny: ['group:fs'] },
}`

test('a scratch copy keeps what is proved, and nothing that speaks to the world or holds a key', () => {
  const copy = readConfiguration(bytes(scratchConfiguration(bytes(MINE), SCRATCH)))
  const kept = [
    ['plugins'],
    ['tools'],
    ['mcp', 'servers', 'tidegate'],
    ['mcp', 'servers', 'files'],
    ['agents', 'list', 1, 'tools'],
  ]
  for (const path of kept) expect([path, copy.get(path)]).toEqual([path, readConfiguration(bytes(MINE)).get(path)])
  expect(copy.text).not.toMatch(/the-real-one|secret|sk-real|real\/big|18789|lan|tailscale|heartbeat|home\/me'/)
  expect([copy.get(['channels']), copy.get(['hooks']), copy.get(['gateway', 'bind']), copy.get(['gateway', 'port'])]).toEqual([
    undefined,
    undefined,
    'loopback',
    4_000,
  ])
  expect(copy.get(['agents', 'defaults', 'workspace'])).toBe('/scratch/ws')
})

test('an empty configuration becomes one that runs', () => {
  expect(readConfiguration(bytes(scratchConfiguration(bytes(''), SCRATCH))).get(['models', 'mode'])).toBe('replace')
})

test('speaks to the default agent', () => {
  expect([agentOf(bytes(MINE)), agentOf(bytes('{}')), agentOf(bytes('{ agents: { entries: { ops: {} } } }'))]).toEqual([
    'b',
    'main',
    'ops',
  ])
})
