import { createHash, timingSafeEqual } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSigningKey, nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import { createGateway } from '@tidegate/gateway'
import { openThreadedJournal } from '@tidegate/journal-sqlite'
import type { Log } from '@tidegate/kernel'
import {
  createBreakerPanel,
  createClaims,
  createInFlight,
  createLabels,
  createRegistry,
  createSessions,
  createTimeFacts,
  type HostDeclaration,
  hostWorkflow,
  openControl,
  openMeters,
  startTidegate,
} from '@tidegate/runtime'
import { createMcpTools, type McpServer } from '@tidegate/tools-mcp'
import { loadDefaults } from './policies.ts'

/** What the upstream server is: `--url` for one that runs, or a command that we start. */
const { values, positionals } = parseArgs({ options: { url: { type: 'string' } }, allowPositionals: true })
const directory = mkdtempSync(join(tmpdir(), 'tidegate-bench-mcp-'))
const log: Log = ({ level, message }) => {
  if (level === 'error') console.error(message)
}

/** The reference server, with its echo classified as what it is: a read. */
function upstream(): McpServer {
  const [command = '', ...args] = positionals
  return {
    name: 'everything',
    transport:
      values.url === undefined ? { kind: 'stdio', command, args, env: {} } : { kind: 'http', url: values.url, headers: {} },
    overlay: { echo: { mutability: 'read', dataClass: 'internal', blastRadius: 'single', risk: 'low' } },
    protocol: '2025',
    start: 'eager',
    startTimeoutMs: 20_000,
    timeoutMs: 20_000,
    recheckMs: 60_000,
  }
}

const HOST: HostDeclaration = {
  name: 'bench',
  kind: 'mcp',
  agent: 'bench-agent',
  person: 'user:bench',
  mode: 'enforce',
  operations: ['everything.echo'],
  tickets: false,
  environment: 'production',
  approvalMs: 60_000,
}

/** Nothing is left out: the default policies with six limits, labels, and a journal that waits for the disk. */
async function open() {
  const keys = { origin: 'bench.example/log', pem: createSigningKey(), masterKey: nodeEntropy.bytes(32) }
  const stored = await openThreadedJournal({
    file: join(directory, 'journal.db'),
    ...createWriterParts(keys),
    partsModule: new URL(import.meta.resolve('@tidegate/crypto-node/writer-parts')),
    partsData: keys,
  })
  const tools = await createMcpTools([upstream()], {
    ...{ clock: systemClock, log, path: dirname(process.execPath), client: { name: 'tidegate', version: '0.1.0' } },
    secret: async () => 'none',
    homeOf: (server) => {
      const home = join(directory, server)
      mkdirSync(home, { recursive: true })
      return home
    },
  })
  const claims = createClaims({ clock: systemClock })
  const registry = createRegistry(tools.tools(), [hostWorkflow(HOST, undefined, nodeHasher)])
  const defaults = loadDefaults(registry)
  const meters = await openMeters({
    ...{ journal: stored, ledger: stored.ledger, meters: defaults.meters, clock: systemClock, hasher: nodeHasher, log },
    salt: nodeEntropy.bytes(32),
    timeZone: 'UTC',
  })
  const { journal } = meters
  const control = await openControl(journal, systemClock)
  const sessions = createSessions({ journal, clock: systemClock, find: registry.find, hasher: nodeHasher, salt: 'bench' })
  const tidegate = await startTidegate({
    ...{ journal, control, registry, meters, log, claims },
    ...{ policy: defaults.policy, clock: systemClock, entropy: nodeEntropy, hasher: nodeHasher, verifier: nodeVerifier },
    secrets: async () => 'none',
    breakers: createBreakerPanel({ control, clock: systemClock, log }),
    inFlight: createInFlight(),
    ledger: stored.ledger,
    writeExport: async () => 0,
    labels: createLabels(registry, sessions),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
    hosts: { hosts: [HOST], sessionsOfHosts: sessions, claimsOfHosts: claims },
  })
  return { tidegate, tools }
}

const { tidegate, tools } = await open()
if (tidegate.hostDesk === undefined) throw new Error('There is no desk for hosts.')
const token = Buffer.from(nodeEntropy.bytes(32)).toString('hex')
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const digest = digestOf(token)
const gateway = createGateway({
  tidegate,
  authenticate: () => undefined,
  version: '0.1.0',
  onDefect: (error) => console.error(error),
  mcp: {
    desk: tidegate.hostDesk,
    clock: systemClock,
    authenticateHost: (sent) => (timingSafeEqual(digestOf(sent), digest) ? { host: HOST.name, tickets: false } : undefined),
  },
})
const { url } = await gateway.listen()
console.log(JSON.stringify({ url: `${url}/mcp`, token }))
for await (const _ of process.stdin) {
  // Whoever has started us closes our input when it is done.
}
await gateway.close()
await tools.close()
await tidegate.close()
rmSync(directory, { recursive: true, force: true })
