import type { Shell } from '../shell.ts'
import { styleState, type Tone } from '../terminal/style.ts'
import { fit } from '../terminal/table.ts'
import { renderDuration } from '../terminal/time.ts'
import { hang } from '../terminal/wrap.ts'
import type { DemoReport, DemoRun } from './report.ts'

type Look = Pick<Shell, 'style' | 'columns'>

const INDENT = ' '.repeat(10)
/** Room for the name of a fact. */
const FACT = 'Delivered twice  '.length
/** What an id is shortened to, where no other one ends in the same way. */
const SHORT = 12

/** A demonstration as its story; what waits for a person comes last. The texts must be inert. */
export function renderReport(look: Look, report: DemoReport, about: ReadonlyMap<string, string>): string {
  const runs = latestOfEach(report.runs.filter(({ ticket }) => about.has(ticket ?? '')))
  const waiting = runs.filter(({ state }) => state === 'waiting')
  const blocked = runs.filter(({ failure }) => failure === 'policy_denial')
  const done = runs.filter(({ state }) => state === 'completed')
  const rest = runs.filter((run) => ![...waiting, ...blocked, ...done].includes(run))
  const section = (tone: Tone, title: string, listed: readonly DemoRun[]): readonly string[] =>
    listed.length === 0
      ? []
      : [look.style(tone, look.style('strong', title)), ...listed.map((run) => renderRun(look, run, { report, about })), '']
  return [
    ...section('good', 'Done without help, and seen to be done', done),
    ...section('bad', 'Blocked', blocked),
    ...section('warn', 'Taken back, or handed to a person', rest),
    ...renderFacts(look, report),
    ...(waiting.length === 0 ? [] : ['', ...section('warn', 'Waits for a person', waiting)]),
  ]
    .join('\n')
    .trimEnd()
}

/** The end of an id that fits no other one: commands take it, and it fits a line. */
export function shortOf(id: string, all: readonly string[]): string {
  for (let length = Math.min(SHORT, id.length); length < id.length; length++) {
    const end = id.slice(-length)
    if (all.every((other) => other === id || !other.endsWith(end))) return end
  }
  return id
}

/** The run that each ticket's first event opened; on state that was kept, one that still waits or is new tells more. */
function latestOfEach(runs: readonly DemoRun[]): readonly DemoRun[] {
  const ofTicket = Map.groupBy(runs.toSorted(byTicket), ({ ticket }) => ticket)
  return [...ofTicket.values()].flatMap((same) => same.find(({ state }) => state === 'waiting') ?? same[0] ?? [])
}

/** Runs that came together are opened in any order; whoever reads wants that of the tickets. Stable within a ticket. */
function byTicket(a: DemoRun, b: DemoRun): number {
  return (a.ticket ?? '').localeCompare(b.ticket ?? '', 'en', { numeric: true })
}

function renderRun(
  { style, columns }: Look,
  run: DemoRun,
  { report, about }: { readonly report: DemoReport; readonly about: ReadonlyMap<string, string> },
): string {
  const [sentence = ''] = (about.get(run.ticket ?? '') ?? '').split(/(?<=[.!?])\s|(?<=.{30})[:;]\s/)
  const says = linesOf(run, report).map((text) => style('faint', hang(INDENT, text, columns)))
  return [`  ${style('strong', run.ticket ?? run.id)}  ${fit(sentence, columns - 10)}`, ...says].join('\n')
}

/** What became of it, beyond what the section says. */
function linesOf(run: DemoRun, { blocked, undone }: DemoReport): readonly string[] {
  const changes = run.effects.filter(({ purpose }) => purpose === 'act').map(phraseEffect)
  const changed = changes.length === 0 ? [] : [changes.join(', ')]
  if (run.failure === 'policy_denial') {
    const names = blocked.filter((each) => each.run === run.id).map(({ operation }) => operation)
    return [`${names.join(', ')} refused: ${run.reason}`, ...changed]
  }
  if (run.state === 'completed') {
    const by = undone.some((each) => each.run === run.id)
    return by ? [`${changed.join('')}; taken back afterwards`] : changed
  }
  const open = run.approvals.filter(({ state }) => state === 'open').map(({ id }) => `approval ${id}`)
  return run.state === 'waiting' ? [...changed, ...open] : [run.headline, ...changed]
}

function phraseEffect({ operation, state, approval }: DemoRun['effects'][number]): string {
  const said = [...(state === 'done' ? [] : [state]), ...(approval === null ? [] : ['approved'])]
  return said.length === 0 ? operation : `${operation} (${said.join(', ')})`
}

/** What happened beside the tickets, in two columns. */
function renderFacts({ style, columns }: Look, { duplicates, undone, stop, ledger }: DemoReport): readonly string[] {
  const { acknowledgedMs, runsInFlight, running, effectsAfter, measured, resumed } = stop
  const after = `${effectsAfter} started in the ${renderDuration(measured.watchedMs)} after it`
  const stopped = `everything, in ${renderDuration(acknowledgedMs)}, with ${runsInFlight} runs under way and ${running} ${running === 1 ? 'call' : 'calls'} made; ${style(effectsAfter === 0 ? 'good' : 'bad', after)}; lifted, and ${resumed} went on`
  const verdict = ledger.verified ? style('good', 'verified') : style('bad', 'NOT what it says')
  const facts: readonly (readonly [string, string])[] = [
    ...duplicates.map(({ event }) => ['Delivered twice', `${event}: recognised, one run`] as const),
    ...undone.map(
      ({ effects, state }) =>
        ['Undone', `${effects} ${effects === 1 ? 'effect' : 'effects'} of a finished run: ${styleState(style, state)}`] as const,
    ),
    ['Stopped', stopped],
    ['Ledger', `${ledger.size} entries, ${verdict}`],
    ['Root', ledger.root],
  ]
  return facts.map(([name, text]) => {
    return hang(style('strong', name) + ' '.repeat(FACT - name.length), text, columns)
  })
}
