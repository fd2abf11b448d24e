import type { JsonObject, Operation, Shape } from '@tidegate/kernel'
import { isObject } from '@tidegate/kernel'
import type { HostDeclaration, HostTools } from '@tidegate/runtime'
import { type Chance, createChance, WORLD_OPERATIONS } from '@tidegate/testkit'
import type { PolicyPlan, Rule } from './policies.ts'
import type { Happening } from './scenario.ts'

/** A host of a seed, and what its agent wants to do. */
export interface HostPlan {
  readonly declaration: HostDeclaration
  readonly calls: readonly CallPlan[]
}

/** One thing that an agent wants, and how its host goes about it. */
export interface CallPlan {
  readonly atMs: number
  readonly session: string
  /** The host's name for the call, at first. */
  readonly name: string
  readonly operation: string
  readonly arguments: JsonObject
  /** Who does it, and whether the hook of the host asks before. */
  readonly way: 'perform' | 'ticket' | 'host'
  readonly waitMs: number
  /** It hangs up after so long; null: it stays until it is told something. */
  readonly leavesMs: number | null
  /** What it does without an answer: the same call again, the agent asks for the same under another name, or nothing. */
  readonly back: 'same' | 'anew' | 'never'
  readonly tries: number
  readonly trick: Trick
}

/**
 * What a careless or hostile host does besides: it makes a call although it has the answer, hands in its ticket twice or for something else or
 * late, calls without one, or does not tell what came of what it did itself.
 */
export type Trick = 'none' | 'again' | 'twice' | 'other arguments' | 'late' | 'no ticket' | 'tells nothing' | 'tells a failure'

const COMMAND: Shape = {
  jsonSchema: { type: 'object', required: ['command'] },
  parse: (value) =>
    isObject(value) && typeof value.command === 'string'
      ? { ok: true, value: { command: value.command } }
      : { ok: false, issues: [{ path: '/command', message: 'expected a text' }] },
}

/** The tool that a host brings itself, and whose calls it does itself. */
export const SHELL: Operation = {
  id: 'shell.run',
  tool: 'shell',
  title: 'shell.run',
  description: 'shell.run',
  input: COMMAND,
  output: { jsonSchema: {}, parse: (value) => ({ ok: true, value }) },
  mutability: 'write',
  dataClass: 'customer',
  blastRadius: 'single',
  risk: 'high',
  nature: [],
  reversibility: 'irreversible',
  records: [],
  maxRecords: 1,
  origins: {},
  idempotency: 'none',
  timeoutMs: 8_000,
  maxAttempts: 1,
  settleMs: 0,
  secrets: [],
  canPreview: false,
  canReconcile: false,
  canVerify: false,
  schemaVersion: 'shell.run/1',
}

/** Everything that can be called in a simulation. */
export const OPERATIONS: readonly Operation[] = [...WORLD_OPERATIONS, SHELL]

/** What hosts bring. */
export const HOST_TOOLS: HostTools = {
  operations: [SHELL],
  operationOf: (_, args) => ({ operation: SHELL.id, arguments: args }),
}

const OURS = [
  'desk.read',
  'desk.read',
  'desk.set',
  'desk.refund',
  'desk.slow',
  'desk.credit',
  'desk.export',
  'mail.send',
  'mail.post',
]
const TRICKS: Readonly<Record<CallPlan['way'], readonly Trick[]>> = {
  perform: ['none', 'none', 'again'],
  ticket: ['none', 'again', 'twice', 'twice', 'other arguments', 'late', 'late', 'no ticket'],
  host: ['none', 'none', 'again', 'tells nothing', 'tells a failure'],
}

/** Draws the hosts of a seed: none in most. Their chance is their own, so that what else happens in a seed stays as it was. */
export function drawHosts(seed: number): readonly HostPlan[] {
  const chance = createChance(seed * 15_485_863 + 29)
  if (!chance.oneIn(3)) return []
  return ['claw', 'code'].slice(0, 1 + chance.below(2)).map((name) => {
    const calls = Array.from({ length: 3 + chance.below(6) }, (_, n) => drawCall(chance, `${name}-${n}`))
    const [first] = calls
    // Several calls of one session in the same moment.
    const burst = first !== undefined && chance.oneIn(2) ? calls.slice(0, 3).map((call) => ({ ...call, atMs: first.atMs })) : []
    return { declaration: drawDeclaration(chance, name), calls: [...burst, ...calls.slice(burst.length)] }
  })
}

function drawDeclaration(chance: Chance, name: string): HostDeclaration {
  return {
    name,
    kind: 'mcp',
    agent: `agent-${name}`,
    person: 'user:ann',
    mode: chance.oneIn(4) ? 'observe' : 'enforce',
    operations: [...new Set(OURS)],
    tickets: !chance.oneIn(3),
    environment: 'simulation',
    approvalMs: chance.pick([15_000, 40_000]),
  }
}

function drawCall(chance: Chance, name: string): CallPlan {
  const way = chance.pick(['perform', 'ticket', 'ticket', 'host'] as const)
  const operation = way === 'host' ? SHELL.id : chance.pick(OURS)
  return {
    atMs: chance.below(90_000),
    session: chance.oneIn(4) ? 's1' : 's0',
    name,
    operation,
    arguments: drawArguments(chance, operation),
    way,
    waitMs: chance.pick([1_000, 6_000, 30_000]),
    leavesMs: chance.oneIn(3) ? chance.below(3_000) : null,
    back: chance.oneIn(8) ? 'never' : chance.pick(['same', 'anew']),
    tries: 2 + chance.below(5),
    trick: chance.pick(TRICKS[way]),
  }
}

function drawArguments(chance: Chance, operation: string): JsonObject {
  const id = ` rec-${chance.below(3)} `
  if (operation === SHELL.id) return { command: chance.pick(['ls', 'make', 'cat notes']), extra: 'ignored' }
  if (operation === 'desk.set') return { id, value: 'done' }
  if (operation.startsWith('mail.')) return { id, text: 'hello' }
  return { id, amount: chance.below(3) }
}

/** The policies of a seed with hosts: they say something about the tools of hosts, too. */
export function coveringHosts(plan: PolicyPlan, seed: number): PolicyPlan {
  const chance = createChance(seed * 49_979_687 + Number(plan.version.slice(1)))
  const asks: Rule = { kind: 'ask', asks: [{ id: 'one', approvers: [{ role: 'billing-lead', count: 1 }] }] }
  const rule = chance.pick<Rule>([{ kind: 'allow' }, { kind: 'allow' }, asks, { kind: 'deny' }])
  return { ...plan, rules: new Map([...plan.rules, [SHELL.id, rule]]) }
}

/** What happens because of hosts: somebody stops them, and lets them go on. */
export function happeningsOf(hosts: readonly HostPlan[], seed: number): readonly Happening[] {
  const chance = createChance(seed * 67_867_967 + 1)
  if (hosts.length === 0 || chance.oneIn(2)) return []
  const atMs = chance.below(90_000)
  const scope = chance.pick(['agent:agent-claw', 'workflow:host-claw', 'tool:shell', 'global', 'run'] as const)
  return [
    { kind: 'stop', atMs, scope, mode: chance.oneIn(3) ? 'kill' : 'hold' },
    { kind: 'lift', atMs: atMs + chance.below(30_000) },
    { kind: 'restart', atMs: chance.below(100_000) },
  ]
}
