import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import type { Clock, Connector, Journal, Operation, PolicyEngine } from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import {
  createBreakerPanel,
  createClaims,
  createInFlight,
  createLabels,
  createRegistry,
  createSessions,
  createTimeFacts,
  type HostCall,
  type HostDeclaration,
  type HostDesk,
  hostWorkflow,
  type Meters,
  openControl,
  startTidegate,
  type WorkflowWithPlanner,
  withoutMeters,
} from '../../src/index.ts'
import { createWorld, operation, PERMIT, policyOf, READ, SET, UNDO } from '../bench-desk.ts'

/** A tool that the host brings itself. */
export const SHELL = operation('shell.run', { records: [], timeoutMs: 500, canReconcile: false })

export const HOST: HostDeclaration = {
  name: 'claw',
  kind: 'mcp',
  agent: 'claw-agent',
  person: 'user:ann',
  mode: 'enforce',
  operations: ['desk.read', 'desk.set'],
  tickets: false,
  environment: 'test',
  approvalMs: 60_000,
}

/** A Tidegate with one host, on a journal in memory. */
export async function startHost(
  options: {
    readonly host?: Partial<HostDeclaration>
    readonly policy?: PolicyEngine
    readonly connector?: Connector
    readonly journal?: Journal
    readonly clock?: Clock
    readonly own?: readonly Operation[]
    readonly operations?: readonly Operation[]
    readonly workflows?: readonly WorkflowWithPlanner[]
    readonly meters?: Meters
  } = {},
) {
  const { journal = createMemoryJournal(), clock = systemClock, connector = createWorld(), own = [SHELL] } = options
  const operations = options.operations ?? [READ, SET, UNDO]
  const host = { ...HOST, ...options.host }
  const control = await openControl(journal, clock)
  const claims = createClaims({ clock })
  const tools = { operations: own, operationOf: () => ({ operation: 'shell.run', arguments: {} }) }
  const registry = createRegistry(
    [
      { name: 'desk', operations, connector },
      { name: 'shell', operations: own, connector: claims.connector },
    ],
    [hostWorkflow(host, tools, nodeHasher), ...(options.workflows ?? [])],
  )
  const sessions = createSessions({ journal, clock, find: registry.find, hasher: nodeHasher, salt: 'salt' })
  const log = () => {}
  const tidegate = await startTidegate({
    ...{ journal, control, registry, clock, log, claims, entropy: nodeEntropy, hasher: nodeHasher, verifier: nodeVerifier },
    policy: options.policy ?? policyOf(() => PERMIT),
    secrets: async () => 'secret',
    breakers: createBreakerPanel({ control, clock, log }),
    inFlight: createInFlight(),
    ledger: {
      head: journal.head,
      verifierKey: '',
      texts: () => [],
      tile: () => new Uint8Array(),
      lastIndex: () => undefined,
      payloads: () => [],
    },
    writeExport: async () => 0,
    meters: options.meters ?? withoutMeters(journal),
    labels: createLabels(registry, sessions),
    timeFacts: createTimeFacts({ timeZone: 'UTC' }),
    rolesOf: () => [],
    hosts: { hosts: [host], sessionsOfHosts: sessions, claimsOfHosts: claims },
  })
  const { hostDesk } = tidegate
  if (hostDesk === undefined) throw new Error('there is no desk')
  return { tidegate, desk: hostDesk satisfies HostDesk, journal, connector, sessions, claims }
}

let calls = 0

/** A call with a name of its own. */
export function callOf(changes: Partial<HostCall> = {}): HostCall {
  calls++
  const plain = { host: 'claw', session: 's1', call: `c${calls}`, operation: 'desk.set', arguments: { id: 'r1' }, by: 'tidegate' }
  return { ...plain, ...changes } as HostCall
}
