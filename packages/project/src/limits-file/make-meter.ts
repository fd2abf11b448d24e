import { parseApprovers } from '@tidegate/cedar'
import { type Meter, type MeterLimit, type MeterWindow, meterOfSequence, type MeterSource, RUN_SOURCES } from '@tidegate/kernel'
import type { Finding } from '../yaml/problem.ts'
import type { AnomalyDocument, FormerlyDocument, MeterDocument, NeverDocument } from './schema.ts'

/** A meter made of what somebody wrote, and what is wrong with it; paths are relative to its place in the file. */
export interface Made {
  readonly meter: Meter
  readonly findings: readonly Finding[]
}

type Consequence = Pick<MeterDocument, 'then' | 'approvers' | 'reason'>

/** A count or sum. */
export function makeMeter(document: MeterDocument): Made {
  const { name, of, operations, sum, per, window, limit, limits } = document
  const findings: Finding[] = []
  if (limit !== undefined && limits !== undefined)
    findings.push({ path: ['limits'], atKey: true, message: 'Write either "limit" or "limits".' })
  const listed =
    limits?.map((one, i) => ({ ...one, on: one.operations ?? operations, path: ['limits', i] })) ??
    (limit === undefined ? [] : [{ ...consequenceOf(document), above: limit, on: operations, path: [] }])
  if (listed.length === 0 || limits !== undefined) findings.push(...unusedConsequence(document))
  const isForRuns = RUN_SOURCES.includes(of) // what they count has no operation: it is the limit that has
  const meter: Meter = {
    name,
    of,
    operations: isForRuns ? [] : operations,
    sum: sum ?? null,
    per,
    window,
    self: true,
    anomaly: null,
    limits: listed.map(({ above, on, path, ...rest }) => {
      const value = boundOf(of, above)
      if (!Number.isSafeInteger(value)) findings.push({ path: [...path, 'limit'], message: 'Write a whole number.' })
      const fallback = reasonOf(document, above)
      return limitOf({ on, bound: { kind: 'above', value }, consequence: rest, fallback }, path, findings)
    }),
  }
  return { meter, findings }
}

/** What a limit says when nobody wrote a reason. */
function reasonOf({ of, sum, window }: MeterDocument, above: number): string {
  const what = of === 'cost' ? 'spent' : (NOUNS[of] ?? of)
  return `more than ${above} ${what}${sum === undefined ? '' : ` (sum of ${sum})`} ${sinceText(window)}`
}

const NOUNS: Readonly<Partial<Record<MeterSource, string>>> = {
  successes: 'successful calls',
  failures: 'failed calls',
  asks: 'questions to people',
}

/** Limits on cost are written in the currency of the model prices. */
function boundOf(of: MeterSource, above: number): number {
  return of === 'cost' ? Math.round(above * 1_000_000) : above
}

/** What may never follow. */
export function makeNever({ name, never, ...consequence }: NeverDocument): Made {
  const { operations, after, within, per } = never
  return makeSequence(
    { name, kind: 'never', operations, other: after, least: 1, per, within },
    consequence,
    `${operations.join(', ')} never after ${after.join(', ')}`,
  )
}

/** What must have come before. */
export function makeFormerly({ name, formerly, ...consequence }: FormerlyDocument): Made {
  const { operations, needs, least, within, per } = formerly
  return makeSequence(
    { name, kind: 'formerly', operations, other: needs, least, per, within },
    consequence,
    `${operations.join(', ')} only after ${needs.join(', ')}`,
  )
}

function makeSequence(
  sequence: Omit<Parameters<typeof meterOfSequence>[0], 'then' | 'approvers' | 'reason'>,
  consequence: Consequence,
  fallback: string,
): Made {
  const findings: Finding[] = []
  const bound = { kind: 'above', value: 0 } as const
  const { then, approvers, reason } = limitOf({ on: [], bound, consequence, fallback }, [], findings)
  return { meter: meterOfSequence({ ...sequence, then, approvers, reason }), findings }
}

const LEAST_BUCKETS = 8
const MOST_BUCKETS = 4_096

/** More than is usual. */
export function makeAnomaly({ name, anomaly, ...consequence }: AnomalyDocument): Made {
  const { of, operations, sum, per, bucket, baseline, deviations, minimum } = anomaly
  const findings: Finding[] = []
  const buckets = baseline / bucket
  if (buckets < LEAST_BUCKETS || buckets > MOST_BUCKETS) {
    const message = `A baseline has ${LEAST_BUCKETS} to ${MOST_BUCKETS} buckets; this one has ${Math.floor(buckets)}.`
    findings.push({ path: ['anomaly', 'baseline'], message })
  }
  const bound = { kind: 'above', value: Math.round(deviations * 100) } as const
  const fallback = `far more ${NOUNS[of] ?? of} than is usual for this ${per}`
  const meter: Meter = {
    name,
    of,
    operations: RUN_SOURCES.includes(of) ? [] : operations,
    sum: sum ?? null,
    per,
    window: { kind: 'sliding', ms: baseline },
    self: true,
    anomaly: { bucketMs: bucket, baselineMs: baseline, minimum },
    limits: [limitOf({ on: operations, bound, consequence, fallback }, [], findings)],
  }
  return { meter, findings }
}

function limitOf(
  limit: Pick<MeterLimit, 'on' | 'bound'> & { readonly consequence: Consequence; readonly fallback: string },
  path: Finding['path'],
  findings: Finding[],
): MeterLimit {
  const { on, bound, consequence, fallback } = limit
  const { then, approvers: written, reason = fallback.slice(0, 300) } = consequence
  const approvers = written === undefined ? [] : parseApprovers(written.join(', '))
  if (approvers === undefined) {
    const message = 'Write roles, each once, such as role:billing-lead, or "role:billing-lead x2" for two people of it.'
    findings.push({ path: [...path, 'approvers'], message })
  } else if (then === 'ask' && approvers.length === 0)
    findings.push({ path: [...path, 'then'], message: '"approvers" are missing: then: ask needs somebody to ask.' })
  if (then !== 'ask' && written !== undefined)
    findings.push({ path: [...path, 'approvers'], atKey: true, message: 'Approvers go with then: ask. Remove them.' })
  return { on, bound, then, approvers: approvers ?? [], reason }
}

function consequenceOf({ then, approvers, reason }: Consequence): Consequence {
  return {
    then,
    ...(approvers === undefined ? {} : { approvers }),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Words about a limit where there is none, or where the limits say their own. */
function unusedConsequence({ then, approvers, reason, limits }: MeterDocument): readonly Finding[] {
  const where =
    limits === undefined ? 'This meter has no limit: add "limit", or remove this.' : 'Write this with each of the limits.'
  const unused = [...(then === 'deny' ? [] : ['then']), ...(approvers ? ['approvers'] : []), ...(reason ? ['reason'] : [])]
  return unused.map((key) => ({ path: [key], atKey: true, message: where }))
}

function sinceText(window: MeterWindow): string {
  if (window.kind === 'run') return 'in this run'
  if (window.kind === 'ever') return 'in all'
  if (window.kind === 'calendar') return `this ${window.unit}`
  return `within ${writeDuration(window.ms)}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

function writeDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
