import type { Shell } from '../shell.ts'
import { styleState, type Tone } from '../terminal/style.ts'
import { fit } from '../terminal/table.ts'
import { renderDuration } from '../terminal/time.ts'
import type { DemoReport, DemoRun } from './report.ts'

/** A demonstration as its story. The texts must be inert. */
export function renderReport(
  shell: Pick<Shell, 'style' | 'columns'>,
  report: DemoReport,
  about: ReadonlyMap<string, string>,
): string {
  const { style } = shell
  const heading = (tone: Tone, text: string): string => style(tone, style('strong', text))
  const tickets = report.runs.filter(({ ticket }) => ticket !== null)
  const firsts = [...Map.groupBy(tickets, ({ ticket }) => ticket).values()].flatMap(([first]) => first ?? [])
  const waiting = firsts.filter(({ state }) => state === 'waiting')
  const blocked = firsts.filter(({ failure, state }) => failure === 'policy_denial' && state !== 'waiting')
  const done = firsts.filter(({ state }) => state === 'completed')
  const rest = firsts.filter((run) => ![...waiting, ...blocked, ...done].includes(run))
  const section = (title: string, runs: readonly DemoRun[]) =>
    runs.length === 0 ? [] : [title, ...runs.map((run) => renderRun(shell, run, about)), '']
  return [
    ...section(heading('good', 'Done without help, and seen to be done'), done),
    ...section(heading('warn', 'Waits for a person'), waiting),
    ...section(heading('bad', 'Blocked'), blocked),
    ...section(heading('warn', 'Taken back, or handed to a person'), rest),
    ...report.duplicates.map(({ event, run }) => `${style('strong', 'Delivered twice')}   ${event}: recognised; one run, ${run}`),
    ...report.undone.map(
      ({ run, by, state, effects }) =>
        `${style('strong', 'Undone')}            ${effects} effects of run ${run}, by run ${by}: ${styleState(style, state)}`,
    ),
    stopLine(report, style),
    ledgerLine(report, style),
  ].join('\n')
}

function renderRun(
  { style, columns }: Pick<Shell, 'style' | 'columns'>,
  run: DemoRun,
  about: ReadonlyMap<string, string>,
): string {
  const operations = run.effects
    .filter(({ purpose }) => purpose === 'act' || run.ticket === null)
    .map(({ operation, state, approval }) => `${operation} (${approval === null ? state : `${state}, approved`})`)
  const changes = operations.length === 0 ? [] : [style('faint', operations.join(', '))]
  const open = run.approvals.filter(({ state }) => state === 'open').map(({ id }) => style('link', `approval ${id}`))
  return [
    `  ${style('strong', run.ticket ?? run.id)}  ${fit(about.get(run.ticket ?? '') ?? '', columns - 12)}`,
    `          ${run.headline}`,
    ...[...changes, ...open].map((each) => `          ${each}`),
  ].join('\n')
}

function stopLine({ stop }: DemoReport, style: Shell['style']): string {
  const { acknowledgedMs, runsInFlight, running, effectsAfter, measured, resumed } = stop
  const after = style(effectsAfter === 0 ? 'good' : 'bad', `${effectsAfter} started`)
  return `${style('strong', 'Stopped')}           everything, in ${renderDuration(acknowledgedMs)}, with ${runsInFlight} runs under way and ${running} calls already made; ${after} in the ${renderDuration(measured.watchedMs)} after it; lifted, and ${resumed} went on`
}

function ledgerLine({ ledger }: DemoReport, style: Shell['style']): string {
  const verdict = ledger.verified ? style('good', 'verified') : style('bad', 'NOT what it says')
  return `${style('strong', 'Ledger')}            ${ledger.size} entries, ${verdict}, root ${ledger.root}`
}
