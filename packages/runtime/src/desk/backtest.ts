import {
  type BacktestReport,
  type Clock,
  createBacktest,
  declaredIn,
  type Entry,
  type Journal,
  type PolicyEngine,
  requestOf,
  type ActionDecided,
  type ActionProposed,
  type RunEvent,
  type RunOpened,
  type Backtest,
} from '@tidegate/kernel'
import type { ChangeHistory } from './change-history.ts'

/** How far back to look. */
export interface BacktestLimits {
  /** Decisions at most: the newest. */
  readonly last: number
  /** Only runs that were opened at or after this time. */
  readonly sinceMs?: number
  /** How long it may take. */
  readonly timeMs: number
}

/** A backtest over the ledger, and how far it came. */
export interface LedgerBacktest extends BacktestReport {
  /** False when the time was up, or the number reached, before everything was looked at. */
  readonly complete: boolean
  readonly runs: number
  readonly durationMs: number
}

/** What a backtest reads. */
export interface BacktestParts {
  readonly journal: Pick<Journal, 'read' | 'runs'>
  readonly history: ChangeHistory
  readonly clock: Clock
}

/** How long others wait for their turn at most, but for the reading of one run. */
const TURN_MS = 5
const PAGE = 500

/**
 * Decides the past again under an engine, the newest runs first, and gives others a turn every few milliseconds. Reads only (I12): what
 * it finds out is in its answer and nowhere else.
 *
 * A run whose content retention has erased counts as one that cannot be decided again, as do decisions from before facts were recorded.
 */
export async function backtestLedger(
  { journal, history, clock }: BacktestParts,
  engine: PolicyEngine,
  { last, sinceMs = 0, timeMs }: BacktestLimits,
): Promise<LedgerBacktest> {
  const startedMs = clock.monotonicMs()
  const backtest = createBacktest(engine)
  const again = { backtest, history, meters: engine.meters ?? [] }
  let turnMs = startedMs
  let runs = 0
  let seen = 0
  let complete = true
  const isOver = (): boolean => seen >= last || clock.monotonicMs() - startedMs > timeMs

  for (let before: string | undefined, more = true; more; ) {
    const page = await journal.runs({ limit: PAGE, ...(before === undefined ? {} : { before }) })
    for (const head of page) {
      if (head.openedAtMs < sinceMs) {
        more = false
        break
      }
      if (isOver()) {
        complete = false
        more = false
        break
      }
      const entries = await journal.read(`run/${head.run}`)
      seen += decideRunAgain(again, entries, last - seen)
      runs += 1
      if (clock.monotonicMs() - turnMs > TURN_MS) {
        await new Promise<void>((resolve) => void clock.at(0, resolve))
        turnMs = clock.monotonicMs()
      }
    }
    before = page.at(-1)?.run
    more = more && page.length === PAGE
  }
  return { ...backtest.report(), complete, runs, durationMs: clock.monotonicMs() - startedMs }
}

/** Decides the newest decisions of one run again; answers how many of them were looked at. */
function decideRunAgain(
  { backtest, history, meters }: { backtest: Backtest; history: ChangeHistory; meters: readonly string[] },
  entries: readonly Entry[],
  room: number,
): number {
  if (entries.some(({ erased }) => erased)) {
    backtest.skip('erased')
    return 0
  }
  const decisions = decisionsOf(entries)
  const newest = decisions.slice(Math.max(0, decisions.length - room))
  for (const { opened, proposed, decided, index, atMs } of newest) {
    const listing = history.listingAt(index)
    const declared = listing === undefined ? undefined : declaredIn(listing, proposed.operation, opened.workflow)
    if (declared === undefined) backtest.skip('undeclared')
    else {
      const request = requestOf({ opened, proposed, decided }, declared, meters)
      if (request === undefined) backtest.skip('unrecorded')
      else {
        const { policies, approvers } = decided
        const outcome = decided.would ?? decided.outcome // what policy said, also where it was only observed
        const past = { run: opened.run, action: decided.action, atMs, outcome, approvers, request }
        backtest.add({ ...past, policies: policies.map(({ id }) => id) })
      }
    }
  }
  return newest.length
}

/** A decision of policy with what it was about. */
export interface RecordedDecision {
  readonly opened: RunOpened
  readonly proposed: ActionProposed
  readonly decided: ActionDecided
  /** Index of its record in the ledger. */
  readonly index: number
  readonly atMs: number
}

/** The decisions of a run that policy made, oldest first; what a guard decided before policy was asked is left out. */
export function decisionsOf(entries: readonly Entry[]): readonly RecordedDecision[] {
  const proposals = new Map<number, ActionProposed>()
  const found: RecordedDecision[] = []
  let opened: RunOpened | undefined
  for (const { index, atMs, events } of entries) {
    for (const event of events as readonly RunEvent[]) {
      if (event.type === 'run.opened') opened = event
      else if (event.type === 'action.proposed') proposals.set(event.action, event)
      else if (event.type === 'action.decided' && event.facts !== null) {
        const proposed = proposals.get(event.action)
        if (opened !== undefined && proposed !== undefined) found.push({ opened, proposed, decided: event, index, atMs })
      }
    }
  }
  return found
}
