import type { WireMeter, WireMeterKey, WireMeterLimit } from '@tidegate/protocol'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderPairs, renderTable } from '../terminal/table.ts'

/** Shows what is counted, what the limits are, and how full they are; one of them with its largest counts. */
export function show(shell: Shell, name: string | undefined): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    if (name === undefined) shell.result({ meters: await client.limits() }, ({ meters }) => renderMeters(shell, meters))
    else shell.result(await client.limit(name), (meter) => renderMeter(shell, meter))
    return EXIT.ok
  })
}

function renderMeters(shell: Shell, meters: readonly WireMeter[]): string {
  if (meters.length === 0)
    return 'No limits are declared. Write some in limits/, and name the files in tidegate.yaml: limits: [limits/*.yaml]'
  const rows = meters.map((meter) => {
    const [fullest] = meter.largest
    const shown = fullest === undefined ? ['-', '-', '-'] : figuresOf(meter, fullest)
    const value = meter.window.kind === 'run' ? 'in each run' : shown[0]
    return [meter.name, value ?? '-', shown[1] ?? '-', shown[2] ?? '-', meter.per, windowOf(meter), limitsOf(meter)]
  })
  return renderTable(['name', 'largest', 'full', 'reserved', 'per', 'within', 'limit'], rows, shell.columns)
}

function renderMeter({ style, columns }: Shell, meter: WireMeter): string {
  const { name, per, keys, largest, limits, self } = meter
  const facts = renderPairs([
    ['Counts', `${countedOf(meter)}${self ? '' : '; the action under decision is not counted'}`],
    ['Per', per.startsWith('/') ? `value of ${per}, shown as a keyed hash` : per],
    ['Within', windowOf(meter)],
    ...limits.map((limit, at): readonly [string, string] => [
      at === 0 ? 'Limits' : '',
      `${limitOf(meter, limit)}: ${limit.reason}`,
    ]),
    ...(limits.length === 0 ? [['Limits', 'none: it is there for policies to look at'] as const] : []),
  ])
  return [
    style('strong', name),
    facts.replaceAll(/^/gm, '  '),
    '',
    valuesOf(meter, columns),
    ...moreOf(keys - largest.length),
  ].join('\n')
}

function valuesOf(meter: WireMeter, columns: number): string {
  if (meter.window.kind === 'run')
    return 'It is counted in each run by itself, so it has no value here. `tidegate runs show` tells what a run did.'
  if (meter.largest.length === 0) return 'Nothing is counted at the moment.'
  const heading = meter.per.startsWith('/') ? 'hash' : meter.per
  const rows = meter.largest.map((key) => [keyOf(key), ...figuresOf(meter, key)])
  return renderTable([heading, 'value', 'full', 'reserved'], rows, columns)
}

function moreOf(hidden: number): readonly string[] {
  return hidden <= 0 ? [] : ['', `And ${hidden} with smaller values.`]
}

const KEY_WORDS: Readonly<Record<Exclude<WireMeterKey['kind'], 'name' | 'hash'>, string>> = {
  all: '(all)',
  none: '(none)',
  rest: '(all others)',
}

function keyOf({ kind, key }: WireMeterKey): string {
  return kind === 'name' || kind === 'hash' ? key : KEY_WORDS[kind]
}

/** Value, how full it is, and what is reserved. */
function figuresOf(meter: WireMeter, { value, reserved, full }: WireMeterKey): readonly string[] {
  // An anomaly is a deviation, and what is reserved is what it counts.
  const held = meter.anomaly === null ? amountOf(meter, reserved) : String(reserved)
  return [amountOf(meter, value), full === null ? boundOf(meter, value) : percent(full), reserved === 0 ? '-' : held]
}

/** What can be said where nothing is filled up: a sequence binds, or not yet. */
function boundOf({ limits }: WireMeter, value: number): string {
  const binds = limits.some(({ bound, value: limit }) => (bound === 'above' ? value > limit : value < limit))
  if (limits.length === 0) return '-'
  return binds ? 'binds' : 'met'
}

function percent(fraction: number): string {
  const percents = fraction * 100
  return `${percents > 0 && percents < 1 ? '<1' : Math.floor(percents)} %`
}

const SOURCE_WORDS: Readonly<Record<string, string>> = {
  calls: 'calls that start, each attempt',
  effects: 'actions that change the world',
  successes: 'calls that came back done',
  failures: 'calls that the far side failed',
  proposals: 'proposals',
  denials: 'proposals that policy refused',
  asks: 'questions to people',
  steps: 'steps of runs',
  tokens: 'tokens of models',
  cost: 'cost of models',
}

function countedOf({ of, sum, operations, anomaly }: WireMeter): string {
  const what = SOURCE_WORDS[of] ?? of
  const summed = sum === null ? what : `the sum of ${sum} over ${what}`
  const counted = operations.length === 0 ? summed : `${summed}: ${operations.join(', ')}`
  if (anomaly === null) return counted
  const { bucketMs, minimum } = anomaly
  return `how many deviations the current ${spanOf(bucketMs)} is above the usual, from ${minimum} on, in ${counted}`
}

function windowOf({ window, anomaly }: WireMeter): string {
  if (anomaly !== null) return `the last ${spanOf(anomaly.baselineMs)}, by ${spanOf(anomaly.bucketMs)}`
  switch (window.kind) {
    case 'sliding':
      return `the last ${spanOf(window.ms)}`
    case 'calendar':
      return `this ${window.unit}`
    case 'run':
      return 'one run'
    case 'ever':
      return 'the whole ledger'
  }
}

function limitsOf(meter: WireMeter): string {
  return meter.limits.map((limit) => limitOf(meter, limit)).join('; ') || '-'
}

const OUTCOME_WORDS: Readonly<Record<WireMeterLimit['outcome'], string>> = { deny: 'deny', ask: 'ask', dry_run: 'only try out' }

/** `above 5 ask billing-lead`; what it binds is said where that is not what the meter counts. */
function limitOf(meter: WireMeter, { bound, value, outcome, approvers, operations }: WireMeterLimit): string {
  const when = bound === 'above' && value === 0 ? 'after any' : `${bound} ${amountOf(meter, value)}`
  const people = approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(', ')
  const bindsOwn = operations.join() === meter.operations.join()
  const what = bindsOwn ? '' : operations.join(', ') || 'everything'
  return [when, OUTCOME_WORDS[outcome], people, people !== '' && what !== '' ? 'for' : '', what].filter(Boolean).join(' ')
}

/** A value in the unit of its meter: cost in the currency, an anomaly in deviations. */
function amountOf({ of, anomaly }: WireMeter, value: number): string {
  if (anomaly !== null) return String(value / 100)
  return of === 'cost' ? String(value / 1_000_000) : String(value)
}

const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A duration as exactly as it was declared: 90 minutes are not about an hour. */
function spanOf(ms: number): string {
  const [unit, size] = SPANS.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / size} ${unit}`
}
