import { relative } from 'node:path'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { inertText } from '../terminal/inert.ts'
import { renderReport, shortOf } from './render.ts'
import type { DemoReport } from './report.ts'
import { play } from './scenario.ts'
import { openStage, type Stage } from './stage.ts'

/** What `demo` takes. */
export interface DemoFlags {
  readonly once?: boolean
  readonly keepState?: boolean
}

/**
 * Shows the whole of it on the example: real work governed, an attack refused, an approval, an undo, a stop, a proof. With `--once`
 * it approves one refund itself and ends; otherwise what waits is left waiting, and it stays up.
 */
export async function demo(shell: Shell, flags: DemoFlags): Promise<ExitCode> {
  const once = flags.once === true
  shell.note('Starting the support desk and the server ...')
  const stage = await openStage(shell, { keepState: flags.keepState === true })
  try {
    const report = await play(stage, { approve: once, fresh: flags.keepState !== true, say: shell.note })
    const about = new Map(stage.tickets.map((ticket) => [ticket.id, inertText(ticket.about)]))
    shell.result(report, (view) => `\n${renderReport(shell, view, about)}${once ? '' : `\n\n${renderNext(shell, stage, view)}`}`)
    if (!once) await stayUp(shell, stage)
    return isAsPromised(report) ? EXIT.ok : EXIT.failed
  } finally {
    await stage.close()
  }
}

/** A demonstration that did not keep a promise must not look like one that did. */
function isAsPromised({ stop, ledger, undone }: DemoReport): boolean {
  return stop.effectsAfter === 0 && ledger.verified && undone.every(({ state }) => state === 'completed')
}

function renderNext({ style, cwd }: Shell, stage: Stage, report: DemoReport): string {
  const project = relative(cwd, stage.project) || '.'
  const waiting = report.runs.flatMap(({ approvals }) => approvals.filter(({ state }) => state === 'open').map(({ id }) => id))
  const approvals = report.runs.flatMap((run) => run.approvals.map(({ id }) => id))
  const [first] = waiting.map((id) => shortOf(id, approvals))
  const completed = report.runs.find(
    ({ state, effects, id }) => state === 'completed' && effects.length > 0 && report.undone.every(({ run }) => run !== id),
  )
  const run =
    completed === undefined
      ? undefined
      : shortOf(
          completed.id,
          report.runs.map(({ id }) => id),
        )
  const commands = [
    ...(first === undefined
      ? []
      : [`npx tidegate approvals show ${first}`, `npx tidegate approvals approve ${first} --as mei --why "Checked"`]),
    'npx tidegate runs list',
    ...(run === undefined ? [] : [`npx tidegate runs show ${run}`, `npx tidegate undo ${run} --as operator --why "A mistake"`]),
    'npx tidegate queue list',
    'npx tidegate stop --scope global --as operator --why "A drill"',
    'npx tidegate ledger verify',
  ]
  return [
    `Tidegate stays up on ${style('link', stage.server.url)}.`,
    'In another terminal, in this directory:',
    `  ${style('link', `export TIDEGATE_PROJECT=${project}`)}`,
    ...commands.map((command) => `  ${style('link', command)}`),
    '',
    'Ctrl-C ends it.',
  ].join('\n')
}

async function stayUp(shell: Shell, { server, desk }: Stage): Promise<void> {
  const { promise: interrupted, resolve } = Promise.withResolvers<string>()
  const interrupt = (): void => resolve('Ending ...')
  if (shell.signal.aborted) interrupt()
  shell.signal.addEventListener('abort', interrupt, { once: true })
  const gone = (name: string, code: number | null): string =>
    `${name} ended by itself (${code === null ? 'killed' : `exit code ${code}`}). To go on where it was: npm start -- --keep-state`
  const said = await Promise.race([
    interrupted,
    server.ended.then((code) =>
      [gone('The server', code), ...(code === 0 || code === null ? [] : [server.log().trim()])].join('\n'),
    ),
    desk.ended.then((code) => gone('The support desk', code)),
  ])
  shell.note(said)
}
