import { createPolicyLoader, generateSchema } from '@tidegate/cedar'
import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import {
  type ApproverRule,
  type Journal,
  type Json,
  type LogLine,
  type Operation,
  type PolicyText,
  quarantined,
  type RunHead,
} from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import {
  builtinTool,
  builtinWorkflows,
  changesLayer,
  createAuthorLookup,
  createBreakerPanel,
  createInFlight,
  createLabels,
  createRegistry,
  createTimeFacts,
  type LayeredText,
  openControl,
  openPolicyStore,
  type Person,
  POLICY_OPERATIONS,
  policyPart,
  policyWorkflow,
  recordProject,
  startTidegate,
  TOOL_OPERATIONS,
  toolPart,
  toolWorkflow,
  withoutMeters,
} from '../src/index.ts'
import { createWorld, listPlanner, READ, SET, UNDO, workflow } from './bench-desk.ts'

export const OTTO = { id: 'user:otto', roles: ['operator', 'reviewer'] }
export const RITA = { id: 'user:rita', roles: ['reviewer'] }
export const ANN = { id: 'user:ann', roles: ['clerk'] }
export const REVIEWERS: readonly ApproverRule[] = [{ role: 'reviewer', count: 1 }]

/** Everything of the desk runs. */
export const PERMISSIVE = `@id("desk-runs")
permit (principal, action in Action::"tool::desk", resource == Tool::"desk");
`
/** The same, but to set a value is denied. */
export const STRICT = `${PERMISSIVE}
@id("no-set")
@reason("nothing is set any more")
forbid (principal, action == Action::"desk.set", resource);
`

/** One file of policies, as the CLI would send it. */
export function policies(text: string, file = 'policies/desk.cedar'): readonly LayeredText[] {
  return [{ file, layer: 'project', text }]
}

export interface ChangeBenchOptions {
  readonly journal?: Journal
  readonly onDisk?: string
  readonly reviewers?: readonly ApproverRule[]
  readonly operations?: readonly Operation[]
}

/** A Tidegate on a journal in memory, with policies that can be changed. */
export async function startChangeBench(options: ChangeBenchOptions = {}) {
  const { journal = createMemoryJournal(), onDisk = PERMISSIVE, reviewers = REVIEWERS, operations = [READ, SET, UNDO] } = options
  const clock = systemClock
  const control = await openControl(journal, clock)
  const lines: LogLine[] = []
  const log = (line: LogLine): void => void lines.push(line)
  const work = workflow(operations)
  const own = [...POLICY_OPERATIONS, ...TOOL_OPERATIONS]
  const workflows = [work, policyWorkflow('test'), toolWorkflow('test')]
  const schema = generateSchema([...operations, ...own], workflows)
  const builtin: readonly PolicyText[] = [changesLayer(reviewers)]
  const reviewed = reviewers.length > 0
  const store = await openPolicyStore({
    ...{ journal, control, log, builtin, reviewed },
    loader: createPolicyLoader(schema),
    hasher: nodeHasher,
    onDisk: policies(onDisk),
  })
  const all = [...operations, ...own]
  await recordProject({
    ...{ control, log, reviewed, hasher: nodeHasher, history: store.history, operations: all },
    workflows: workflows.map((each) => ({ workflow: each })),
  })
  const authorOf = createAuthorLookup(journal)
  const find = (id: string) => all.find((each) => each.id === id)
  const parts = [
    policyPart({ store, authorOf }, { environment: 'test', reviewers }),
    toolPart({ control, history: store.history, find, authorOf }, { environment: 'test' }),
  ]
  const connector = createWorld()
  const registry = createRegistry(
    [{ name: 'desk', operations, connector }, builtinTool(parts)],
    [{ workflow: work, planner: listPlanner(['desk.set']) }, ...builtinWorkflows(parts)],
  )
  const timeFacts = createTimeFacts({ timeZone: 'UTC' })
  const people = [OTTO, RITA, ANN]
  const tidegate = await startTidegate({
    ...{ journal, control, registry, clock, log, timeFacts, policy: store },
    entropy: nodeEntropy,
    hasher: nodeHasher,
    verifier: nodeVerifier,
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
    meters: withoutMeters(journal),
    labels: createLabels(registry),
    rolesOf: (user) => people.find(({ id }) => id === user)?.roles ?? [],
    quarantined: () => quarantined(control.state, operations),
    changes: {
      ...{ store, reviewers, judged: (engine) => engine },
      facts: (nowMs) => ({ time: timeFacts(nowMs), meters: {} }),
    },
  })
  if (tidegate.changes === undefined) throw new Error('The bench has no desk for changes.')
  const settled = async (run: string): Promise<RunHead> => {
    const head = await tidegate.settled(run, 5_000)
    if (head === undefined) throw new Error(`There is no run ${run}.`)
    return head
  }
  let events = 0
  /** One run of the desk, to its end; answers what became of the setting. */
  const work1 = async (): Promise<string> => {
    events += 1
    const input: { [name: string]: Json } = { id: `r-${events}` }
    const answer = await tidegate.trigger({
      ...{ workflow: 'w', source: 's', event: `e-${events}-${Math.random()}`, input, user: 'user:ann', client: 'client:test' },
    })
    if (answer.kind === 'refused') throw new Error(answer.message)
    await settled(answer.run)
    return answer.run
  }
  const outcomeOf = async (run: string): Promise<string> => (await tidegate.run(run))?.actions[0]?.decision?.outcome ?? 'none'
  const approve = async (run: string, person: { readonly id: string; readonly roles: readonly string[] } = RITA) => {
    const head = await settled(run)
    const view = await tidegate.approval(head.openApprovals[0] ?? '')
    if (view === undefined) throw new Error(`Run ${run} asks nobody: ${head.state} ${head.summary}`)
    const answer = await tidegate.vote(view.approval.question.id, {
      ...{ person, vote: 'approve', why: 'looked at it', digest: view.approval.question.digest },
    })
    return { answer, view, head: await settled(run) }
  }
  return {
    tidegate,
    changes: tidegate.changes,
    store,
    control,
    journal,
    lines,
    connector,
    settled,
    work: work1,
    outcomeOf,
    approve,
  }
}

/** A running bench. */
export type Bench = Awaited<ReturnType<typeof startChangeBench>>

/** Proposes a text of policies; answers the run. */
export async function propose(bench: Bench, text: string, person: Person = OTTO): Promise<string> {
  const answer = await bench.changes.apply({ person, files: policies(text), backtest: { last: 100 }, why: 'a change' })
  if (answer.kind === 'refused') throw new Error(answer.message)
  return answer.run
}

export { READ, SET, UNDO }
