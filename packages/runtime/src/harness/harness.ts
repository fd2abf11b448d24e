import { type ActionState, type AppendResult, foldRun, nextStep, type RunEvent, type RunState } from '@tidegate/kernel'
import { RuntimeError } from '../error.ts'
import { commit } from './commit.ts'
import type { HarnessParts } from './parts.ts'
import { perform } from './perform.ts'
import { flush, openProgress, type Progress, startProgress } from './progress.ts'

/** Drives runs: takes each as far as it can go now, and sees to it that it is woken when it can go on. */
export interface Harness {
  /**
   * Opens a run and drives it. Resolves as soon as its first record is durable, or with the run that had claimed the same event; rejects when the
   * store fails. What follows at once, the first action of a planner that is `immediate`, stands in that record too.
   */
  start(first: RunState, claim: string): Promise<Started>
  /**
   * Drives a run from its first record on, which is made durable together with what follows from it at once. Resolves when the run rests or waits
   * for the first time; it is then in the journal, unless another run had claimed the same event or the store failed.
   */
  open(first: RunState, claim: string): Promise<void>
  /** Asks for a run to be driven. May be called at any time, twice, or for a run at rest (the Scheduler port's `advance`). */
  advance(run: string): void
  /** Waits until nothing is being driven. */
  idle(): Promise<void>
  /** Runs something while the run stands still, then drives it on. */
  exclusively<T>(run: string, action: (state: RunState | undefined) => Promise<T>): Promise<T>
  /** The run as its records tell it, or undefined. Throws RuntimeError `run_erased` when retention took its content. */
  load(run: string): Promise<RunState | undefined>
  /** Called after every change of a run. The answer unsubscribes. */
  watch(listener: (state: RunState) => void): () => void
  /** Called with the end of a call that has only read, while its last record is still being written (H5). */
  foresee(listener: (state: RunState) => void): void
  /** Drives nothing more. */
  close(): Promise<void>
}

/** What became of a run that was to be opened; `claimed` names the stream of the run that was there before. */
export type Started = { readonly kind: 'opened' } | Extract<AppendResult, { kind: 'claimed' }>

/** How many events are put into one record at most. */
const MAX_WAITING = 48

/** How long to leave a run alone after the store failed. */
const STORE_PAUSE_MS = 2_000

/** Failures of the store that no waiting cures: the run stays as it is until the store is opened again. */
const INCURABLE: ReadonlySet<string> = new Set(['journal_closed', 'journal_corrupt'])

/**
 * Creates the harness.
 *
 * Invariants: H1. One run is driven by one loop at a time. H2. Whatever is touched outside is touched on the strength of what the journal holds. H3. An
 * exception ends the driving of its run, never that of another: a broken invariant ends the run, a failed store only pauses it.
 * H4. A look-up is believed only after the settling time has really passed. The wall clock may jump over it, so it is measured once
 * more on the clock that cannot, from when this process first wanted to look. H5. Of what the journal does not hold yet only one thing is told: what a
 * call has read. After a crash its read is found `started`, which taints its conversation just the same and may be done again.
 */
export function createHarness(parts: HarnessParts): Harness {
  const { journal, clock, log } = parts
  const chains = new Map<string, Promise<unknown>>()
  const wanted = new Set<string>()
  const timers = new Map<string, () => void>()
  const settling = new Map<string, { readonly attempt: string; readonly sinceMs: number }>()
  const listeners = new Set<(state: RunState) => void>()
  const foreseers: ((state: RunState) => void)[] = []
  let closed = false

  async function load(run: string): Promise<RunState | undefined> {
    const entries = await journal.read(`run/${run}`)
    if (entries.length === 0) return undefined
    if (entries.some((entry) => entry.erased))
      throw new RuntimeError('run_erased', `The content of run ${run} has been erased; its ledger entries are still provable.`)
    return foldRun(entries)
  }

  /** H1: everything about one run happens in one chain. */
  function chain<T>(run: string, action: () => Promise<T>): Promise<T> {
    const next = (chains.get(run) ?? Promise.resolve()).then(action)
    const settled = next.then(
      () => undefined,
      () => undefined, // whoever asked has the rejection
    )
    chains.set(run, settled)
    void settled.then(() => {
      if (chains.get(run) === settled) chains.delete(run)
    })
    return next
  }

  function advance(run: string): void {
    if (closed || wanted.has(run)) return
    wanted.add(run)
    void chain(run, async () => {
      wanted.delete(run)
      await driveSafely(run)
    })
  }

  function start(first: RunState, claim: string): Promise<Started> {
    const { run } = first.opened
    const { promise, resolve, reject } = Promise.withResolvers<Started>()
    let isAnswered = false
    const answered = (result: AppendResult): void => {
      if (result.kind === 'fenced') return // it is decided again, and written then
      isAnswered = true
      if (result.kind === 'committed') resolve({ kind: 'opened' })
      else if (result.kind === 'claimed') resolve(result)
      else reject(new Error('A new run met records of its own.'))
    }
    void chain(run, async () => {
      const progress = openProgress(first, { claim, answered })
      try {
        await drive(run, progress)
        if (!isAnswered) await flush(parts, progress)
      } catch (error) {
        // H3: what broke before the run was in the journal ends it there all the same, unless it was the store.
        if (!isAnswered && !isStoreFailure(error)) await flush(parts, progress).catch(reject)
        reject(error) // nobody hears it who has been answered
        await giveUp(run, error)
      }
    })
    return promise
  }

  function open(first: RunState, claim: string): Promise<void> {
    return closed
      ? Promise.resolve()
      : chain(first.opened.run, () => driveSafely(first.opened.run, openProgress(first, { claim })))
  }

  async function driveSafely(run: string, known?: Progress): Promise<void> {
    try {
      await drive(run, known)
    } catch (error) {
      await giveUp(run, error)
    }
  }

  async function drive(run: string, known: Progress | undefined): Promise<void> {
    timers.get(run)?.()
    timers.delete(run)
    let progress = known ?? progressOf(await load(run))
    while (progress !== undefined && !closed) {
      const { state } = progress
      const entry = parts.registry.workflow(state.opened.workflow)
      if (entry === undefined) {
        log({
          level: 'error',
          run,
          code: 'workflow_missing',
          message: `run ${run} waits: its workflow ${state.opened.workflow} is no longer declared`,
        })
        return
      }
      const step = nextStep(state, {
        workflow: entry.workflow,
        find: parts.registry.find,
        control: parts.control.state,
        nowMs: Math.max(clock.nowMs(), state.updatedAtMs),
        claimed: state.opened.call === undefined || parts.claims?.has(run) !== false,
      })
      const atRest = step.kind === 'rest' || step.kind === 'wait'
      if (atRest || progress.waiting.length > MAX_WAITING) {
        if (progress.waiting.length > 0) {
          const canWait = step.kind === 'rest' && hasOnlyRead(state)
          if (canWait) for (const foresee of foreseers) foresee(state)
          const flushed = await flush(parts, progress, { canWait })
          progress = flushed.kind === 'durable' ? flushed.progress : progressOf(await load(run))
          continue // a stop or a vote may have come in the meantime
        }
        const unknown = state.actions.find((action) => action.state === 'ambiguous')
        if (unknown !== undefined && step.kind === 'wait' && step.why === 'settling') unsettled(run, unknown) // its time begins
        if (step.kind === 'wait' && step.untilMs !== null) wake(run, step.untilMs)
        if (step.kind === 'rest') settling.delete(run)
        for (const listener of listeners) listener(state)
        return
      }
      const unsettledMs = step.kind === 'reconcile' ? unsettled(run, step.action) : 0
      if (unsettledMs > 0) {
        const flushed = await flush(parts, progress)
        if (flushed.kind === 'durable') wake(run, clock.nowMs() + unsettledMs)
        else advance(run)
        return
      }
      if (step.kind === 'finish' && step.state === 'completed' && state.opened.undoes !== null)
        await markUndone(state.opened.undoes, run)
      const performed = await perform(parts, progress, entry, step)
      progress = performed === 'conflict' ? progressOf(await load(run)) : performed
      if (progress !== undefined && progress.waiting.length === 0) for (const listener of listeners) listener(progress.state)
    }
    if (progress !== undefined) await flush(parts, progress) // we close: what is known by now is not left to be looked for
  }

  /** H4: how much of the settling time of an attempt is left. */
  function unsettled(run: string, action: ActionState): number {
    const settleMs = parts.registry.find(action.proposed.operation)?.settleMs ?? 0
    if (settleMs === 0) return 0
    const attempt = `${action.n}.${action.attempts}`
    const known = settling.get(run)
    const sinceMs = known?.attempt === attempt ? known.sinceMs : clock.monotonicMs()
    settling.set(run, { attempt, sinceMs })
    return Math.max(0, Math.ceil(sinceMs + settleMs - clock.monotonicMs()))
  }

  function wake(run: string, atMs: number): void {
    if (closed) return
    timers.get(run)?.()
    timers.set(
      run,
      clock.at(atMs, () => {
        timers.delete(run)
        advance(run)
      }),
    )
  }

  /** The undone run learns who undid it; a crash in between repeats this, and it changes nothing the second time. */
  async function markUndone(source: string, by: string): Promise<void> {
    try {
      await exclusively(source, async (state) => {
        if (state === undefined || state.undoneBy !== null) return
        await commit(parts, state, [{ type: 'run.undone', by }])
      })
    } catch (error) {
      if (!isCoded(error) || error.code !== 'run_erased') throw error // what was erased cannot be marked; the undo run says it all
    }
  }

  /** H3. */
  async function giveUp(run: string, error: unknown): Promise<void> {
    const code = isCoded(error) ? error.code : 'defect'
    const message = error instanceof Error ? error.message : String(error)
    if (isStoreFailure(error)) {
      log({ level: 'error', run, code, message })
      if (!INCURABLE.has(code)) wake(run, clock.nowMs() + STORE_PAUSE_MS)
      return
    }
    log({ level: 'error', run, code, message: `run ${run} ends: ${message}` })
    if (code === 'run_erased') return
    try {
      const state = await load(run)
      if (state === undefined || state.phase === 'finished') return
      const events = defectEvents(state, message)
      await commit(parts, state, events)
    } catch (again) {
      log({
        level: 'error',
        run,
        code: 'defect',
        message: `run ${run} could not be closed: ${again instanceof Error ? again.message : String(again)}`,
      })
    }
  }

  function exclusively<T>(run: string, action: (state: RunState | undefined) => Promise<T>): Promise<T> {
    return chain(run, async () => {
      const answer = await action(await load(run))
      advance(run)
      return answer
    })
  }

  return {
    start,
    open,
    advance,
    load,
    exclusively,
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    foresee(listener) {
      foreseers.push(listener)
    },
    async idle() {
      while (chains.size > 0) await Promise.all(chains.values())
    },
    async close() {
      closed = true
      for (const cancel of timers.values()) cancel()
      timers.clear()
      await Promise.all(chains.values())
    },
  }
}

/** True for a call of a host that has ended well, touched nothing and used nothing up: its one action was a read, and of no model, whose tokens are counted first. */
function hasOnlyRead({ opened, phase, actions, modelCalls }: RunState): boolean {
  const [action] = actions
  if (modelCalls.length > 0) return false
  return (
    opened.call !== undefined &&
    phase === 'finished' &&
    actions.length === 1 &&
    action?.state === 'done' &&
    !action.proposed.effect
  )
}

/** The end of a run by a defect: a person is told of it, and of every effect that nobody has looked for yet (I4). */
function defectEvents(state: RunState, detail: string): readonly RunEvent[] {
  const { run } = state.opened
  const open = state.actions.filter(
    ({ proposed, state: name }) => proposed.effect && (name === 'started' || name === 'ambiguous'),
  )
  const item = (n: number): string => `${run}.q${state.items.size + 1 + n}`
  const title = 'Tidegate stopped this run because of a defect'
  return [
    { type: 'queue.added', item: item(0), kind: 'unfinished', action: null, effect: null, sealed: { title, detail } },
    ...open.map(({ n, proposed }, i): RunEvent => {
      const sealed = {
        title: 'Nobody has looked whether this happened',
        detail: `Operation ${proposed.operation}. Look at the far side, and settle it by hand.`,
      }
      return { type: 'queue.added', item: item(i + 1), kind: 'ambiguous', action: n, effect: null, sealed }
    }),
    { type: 'run.finished', state: 'failed', failure: 'defect' },
  ]
}

function progressOf(state: RunState | undefined): Progress | undefined {
  return state === undefined ? undefined : startProgress(state)
}

function isStoreFailure(error: unknown): boolean {
  return isCoded(error) && error.code.startsWith('journal_')
}

function isCoded(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
