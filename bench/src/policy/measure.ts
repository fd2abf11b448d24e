import { quantile, round } from '../load.ts'
import { type Answer, decideByReference, isSameAnswer } from './reference.ts'
import type { PolicyRow } from './row.ts'
import { createPolicySet, createQuestions, type PolicyQuestion, type PolicySet } from './set.ts'

/** An engine with a set of policies loaded. */
export interface LoadedEngine<Native> {
  /** Puts a question into the shape that the engine takes. Not measured. */
  prepare(question: PolicyQuestion): Native
  /** One decision: what is measured. */
  decide(native: Native): Answer
}

/** An engine that can be measured. What {@link load} needs is imported before, so that a set is measured and not a library. */
export interface EngineUnderTest<Native> {
  readonly version: string
  readonly notes: string
  load(set: PolicySet): Promise<LoadedEngine<Native>> | LoadedEngine<Native>
  /** What is right, for an engine that decides by more than the set; without it, {@link decideByReference}. */
  readonly reference?: (set: PolicySet) => (question: PolicyQuestion) => Required<Answer>
}

export interface MeasureOptions {
  readonly policies: number
  /** How long to measure; the check of the answers comes on top of it. */
  readonly milliseconds: number
}

/** Requests that every engine answers, and that the reference answers too. */
const QUESTIONS = 1_000
const ROUNDS = 5
/** Decisions that are timed one by one: enough for a 99th percentile. */
const LATENCY_SAMPLES = 50_000
/** The clock ticks in tens of nanoseconds, so that the median of fast engines is taken over batches that last at least this long. */
const BATCH_MICROSECONDS = 20

type Figures = Pick<PolicyRow, 'perCpuSecond' | 'p50Us' | 'p99Us' | 'decisions'>

/**
 * Loads a set, warms up, lets the engine answer all questions, measures, and compares each answer with the reference.
 *
 * An engine that needs longer for the questions than there is time to measure is measured by these alone.
 */
export async function measureEngine<Native>(
  engine: EngineUnderTest<Native>,
  options: MeasureOptions,
): Promise<Omit<PolicyRow, 'name'>> {
  const set = createPolicySet(options.policies)
  const questions = createQuestions(set, QUESTIONS)
  const memoryBefore = residentMb()
  const startedMs = performance.now()
  const loaded = await engine.load(set)
  const loadMs = performance.now() - startedMs
  const memoryMb = Math.max(0, residentMb() - memoryBefore)
  const natives = questions.map((question) => loaded.prepare(question))
  decideFor(loaded, natives, options.milliseconds / 4)
  const asked = askAll(loaded, natives)
  const slow = asked.milliseconds > options.milliseconds
  const figures = slow ? asked.figures : measureFast(loaded, natives, options.milliseconds)
  const rssMb = residentMb()
  const right = (engine.reference ?? decideByReference)(set)
  const wrong = asked.answers.filter((answer, index) => {
    const question = questions[index]
    return question === undefined || !isSameAnswer(answer, right(question))
  })
  return {
    version: engine.version,
    notes: engine.notes,
    policies: options.policies,
    ...figures,
    loadMs: round(loadMs, 1),
    memoryMb: round(memoryMb, 1),
    rssMb: round(rssMb, 1),
    checked: asked.answers.length,
    mismatches: wrong.length,
    explained: asked.answers.every(({ policies }) => policies !== undefined),
  }
}

/** Every question once, each timed by itself. */
function askAll<Native>(loaded: LoadedEngine<Native>, natives: readonly Native[]) {
  const answers: Answer[] = []
  const microseconds: number[] = []
  const startedMs = performance.now()
  const cpu = process.cpuUsage()
  for (const native of natives) {
    const before = process.hrtime.bigint()
    const answer = loaded.decide(native)
    microseconds.push(Number(process.hrtime.bigint() - before) / 1_000)
    answers.push(answer)
  }
  const figures: Figures = {
    perCpuSecond: perCpuSecond(natives.length, process.cpuUsage(cpu)),
    ...quantiles(microseconds, microseconds),
    decisions: natives.length,
  }
  return { answers, figures, milliseconds: performance.now() - startedMs }
}

/** Half of the time for decisions per CPU-second, best of several rounds; the other half for latencies. */
function measureFast<Native>(loaded: LoadedEngine<Native>, natives: readonly Native[], milliseconds: number): Figures {
  let best = 0
  let decisions = 0
  for (let r = 0; r < ROUNDS; r += 1) {
    const cpu = process.cpuUsage()
    const count = decideFor(loaded, natives, milliseconds / 2 / ROUNDS)
    best = Math.max(best, perCpuSecond(count, process.cpuUsage(cpu)))
    decisions += count
  }
  const batch = Math.max(1, Math.ceil((BATCH_MICROSECONDS * best) / 1e6))
  const batched = timeBatches(loaded, natives, batch, milliseconds / 4)
  timeBatches(loaded, natives, 1, milliseconds / 16) // warms up the loop that times
  const single = timeBatches(loaded, natives, 1, milliseconds / 4)
  return { perCpuSecond: best, ...quantiles(batched, single), decisions: decisions + batched.length * batch + single.length }
}

/** Microseconds per decision, batch by batch. */
function timeBatches<Native>(
  loaded: LoadedEngine<Native>,
  natives: readonly Native[],
  batch: number,
  milliseconds: number,
): number[] {
  const microseconds: number[] = []
  const endsMs = performance.now() + milliseconds
  let next = 0
  while (microseconds.length < LATENCY_SAMPLES && (microseconds.length % 16 > 0 || performance.now() < endsMs)) {
    const before = process.hrtime.bigint()
    for (let i = 0; i < batch; i += 1) next = ask(loaded, natives, next)
    microseconds.push(Number(process.hrtime.bigint() - before) / 1_000 / batch)
  }
  return microseconds
}

/** Decides for so many milliseconds, once at least, and returns how many decisions that were. */
function decideFor<Native>(loaded: LoadedEngine<Native>, natives: readonly Native[], milliseconds: number): number {
  const endsMs = performance.now() + milliseconds
  let next = 0
  let count = 0
  let chunk = 1
  for (let nowMs = performance.now(); count === 0 || nowMs < endsMs; ) {
    for (let i = 0; i < chunk; i += 1) next = ask(loaded, natives, next)
    count += chunk
    const before = nowMs
    nowMs = performance.now()
    // The clock is read about once in half a millisecond, so that reading it does not count.
    if (nowMs - before < 0.5) chunk *= 2
  }
  return count
}

/** Restrictions seen: it is written, so that no decision can be optimised away. */
const seen = { restrictions: 0 }

/** One decision about the question at `index`; returns the index of the next question. */
function ask<Native>(loaded: LoadedEngine<Native>, natives: readonly Native[], index: number): number {
  const native = natives[index]
  if (native === undefined) throw new RangeError('there is no question to ask')
  if (loaded.decide(native).outcome !== 'allow') seen.restrictions += 1
  return index + 1 === natives.length ? 0 : index + 1
}

function perCpuSecond(count: number, { user, system }: NodeJS.CpuUsage): number {
  return Math.round(count / (Math.max(1, user + system) / 1e6))
}

function quantiles(forMedian: readonly number[], forTail: readonly number[]): Pick<Figures, 'p50Us' | 'p99Us'> {
  const ascending = (values: readonly number[]): number[] => values.toSorted((left, right) => left - right)
  return {
    p50Us: round(quantile(ascending(forMedian), 0.5), 3),
    p99Us: round(quantile(ascending(forTail), 0.99), 3),
  }
}

/** Resident memory after a collection, if the child was started with `--expose-gc`. */
function residentMb(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 1_048_576
}

/** What it costs to read the clock twice, in microseconds: the part of a latency that is not the engine's. */
export function timerMicroseconds(): number {
  const microseconds = Array.from({ length: 10_000 }, () => {
    const before = process.hrtime.bigint()
    return Number(process.hrtime.bigint() - before) / 1_000
  })
  return round(
    quantile(
      microseconds.toSorted((left, right) => left - right),
      0.5,
    ),
    3,
  )
}
