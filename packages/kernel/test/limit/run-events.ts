import {
  createMeterBook,
  type Entry,
  foldEvents,
  type JsonObject,
  type Meter,
  type MeterBook,
  openRun,
  type Operation,
  type Reservation,
  type RunEvent,
  type RunState,
} from '@tidegate/kernel'

/** A meter with plain declarations: effects per agent within an hour. */
export function meter(name: string, changes: Partial<Meter> = {}): Meter {
  return {
    name,
    of: 'effects',
    operations: [],
    sum: null,
    per: 'agent',
    window: { kind: 'sliding', ms: 3_600_000 },
    self: true,
    anomaly: null,
    limits: [],
    ...changes,
  }
}

export function bookOf(meters: readonly Meter[], dump?: ReturnType<MeterBook['dump']>): MeterBook {
  const dayOf = (_: string, atMs: number): number => Math.floor(atMs / 86_400_000) * 86_400_000
  return createMeterBook({ meters, calendar: dayOf, hashKey: (value) => `#${JSON.stringify(value)}` }, dump)
}

/** Runs on a journal that is nothing but a list; every committed record is folded into the book. */
export function createLedger(book: MeterBook) {
  const entries: Entry[] = []
  const states = new Map<string, RunState>()

  function append(run: string, events: readonly RunEvent[], atMs: number): RunState {
    const before = states.get(run)
    const seq = (before?.seq ?? 0) + 1
    const entry: Entry = { index: entries.length, stream: `run/${run}`, seq, atMs, epoch: 0, events, erased: false }
    entries.push(entry)
    const state = before === undefined ? openRun(entry) : { ...foldEvents(before, events, atMs), seq }
    states.set(run, state)
    book.fold(entry)
    return state
  }

  return {
    entries,
    append,
    state: (run: string): RunState => {
      const state = states.get(run)
      if (state === undefined) throw new Error(`there is no run ${run}`)
      return state
    },
  }
}

export type Ledger = ReturnType<typeof createLedger>

export function opened(run: string, changes: { agent?: string; user?: string; workflow?: string } = {}): RunEvent {
  const { agent = 'agent-1', user = 'user:ann', workflow = 'w' } = changes
  return {
    type: 'run.opened',
    run,
    workflow,
    workflowVersion: 'v',
    agent,
    actors: [user, 'client:c'],
    trigger: { source: 's', event: run },
    environment: 'test',
    stage: 4,
    policyVersion: 'p',
    undoes: null,
    sealed: { input: {}, undo: [] },
  }
}

export function proposed(action: number, operation: string, args: JsonObject = {}): RunEvent {
  return {
    type: 'action.proposed',
    action,
    operation,
    purpose: 'act',
    effect: !operation.endsWith('.read'),
    node: null,
    confidence: 10_000,
    claimedRisk: null,
    digest: 'd',
    compensates: null,
    sealed: { goal: '', justification: '', arguments: args, origins: [] },
  }
}

export function decided(action: number, outcome: 'allow' | 'deny'): RunEvent {
  return { type: 'action.decided', action, outcome, policies: [], approvers: [], policyVersion: 'p', failure: null, facts: null }
}

export function started(action: number, attempt = 1, metered?: Reservation['metered']): RunEvent {
  const facts = metered === undefined ? {} : { metered }
  const event = { type: 'effect.started', action, attempt, digest: 'd', approval: null, lease: [], ...facts } as const
  return event
}

export function done(action: number, attempt = 1): RunEvent {
  return finished(action, attempt, { result: 'done', failure: null, retry: null })
}

export function failed(action: number, attempt: number, retry: 'never' | 'safe' | 'unknown'): RunEvent {
  return finished(action, attempt, { result: 'failed', failure: 'unavailable', retry })
}

function finished(
  action: number,
  attempt: number,
  how: Pick<Extract<RunEvent, { type: 'effect.finished' }>, 'result' | 'failure' | 'retry'>,
): RunEvent {
  const rest = { durationMs: 1, complete: true, findings: [], code: null, sealed: { output: {}, message: '' } }
  return { type: 'effect.finished', action, attempt, ...how, ...rest }
}

export function ambiguous(action: number, attempt = 1): RunEvent {
  return { type: 'effect.ambiguous', action, attempt, why: 'unknown_outcome' }
}

export function reconciled(
  action: number,
  found: 'happened' | 'absent' | 'doubled' | 'repeatable' | 'unknown',
  lookAgainAtMs: number | null = null,
): RunEvent {
  const sealed = { output: null, message: '' }
  return { type: 'effect.reconciled', action, attempt: 1, found, lookAgainAtMs, sealed }
}

export function retried(action: number): RunEvent {
  return { type: 'retry.scheduled', action, atMs: 0 }
}

export const FINISHED: RunEvent = { type: 'run.finished', state: 'completed', failure: null }

/** An operation by its id: `x.read` reads, everything else writes. */
export function op(id: string): Pick<Operation, 'id' | 'mutability'> {
  return { id, mutability: id.endsWith('.read') ? 'read' : 'write' }
}

/** Proposes, decides and starts one action, reserving as the harness does; answers what policy was told. */
export function act(
  book: MeterBook,
  ledger: Ledger,
  run: string,
  operation: string,
  { args = {}, atMs = 1_000, waiting = [] }: { args?: JsonObject; atMs?: number; waiting?: readonly RunEvent[] } = {},
): Reservation {
  const before = ledger.state(run)
  const state = foldEvents(before, waiting, atMs)
  const n = state.actions.length
  const reservation = book.reserve({ state, waiting, action: n, isNew: true, operation: op(operation), arguments: args }, atMs)
  const events = [proposed(n, operation, args), decided(n, 'allow'), started(n, 1, reservation.metered)]
  ledger.append(run, [...waiting, ...events], atMs)
  return reservation
}

/** What policy would be told about one more action, which then does not run. */
export function look(
  book: MeterBook,
  state: RunState,
  operation: string,
  { args = {}, nowMs = 1_000, waiting = [] }: { args?: JsonObject; nowMs?: number; waiting?: readonly RunEvent[] } = {},
): Readonly<Record<string, number>> {
  const action = state.actions.length
  const { values } = book.reserve({ state, waiting, action, isNew: true, operation: op(operation), arguments: args }, nowMs)
  book.release(state.opened.run)
  return values
}
