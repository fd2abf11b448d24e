import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import { RUN_STATES, type WireRunDetail, type WireRunHead } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { identify } from '../identify.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { inert } from '../terminal/inert.ts'
import { styleState } from '../terminal/style.ts'
import { renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'
import { exitOf, isUnderWay, seconds } from './run.ts'
import { renderStory, renderStoryLine } from './story.ts'

const POLL_MS = 400
const RUNS_SEARCHED = 500

/** Lists runs, newest first. */
export function list(
  shell: Shell,
  flags: { readonly state?: string; readonly workflow?: string; readonly limit: string },
): Promise<ExitCode> {
  const limit = Number(flags.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > RUNS_SEARCHED)
    throw new CliError('usage_invalid', `--limit must be a number from 1 to ${RUNS_SEARCHED}.`)
  const state = flags.state?.split(',').map(parseState)
  return withClient(shell, 'look', async (client) => {
    const query = {
      limit,
      ...(state === undefined ? {} : { state }),
      ...(flags.workflow === undefined ? {} : { workflow: flags.workflow }),
    }
    shell.result({ runs: await client.runs(query) }, ({ runs }) => renderRuns(shell, runs))
    return EXIT.ok
  })
}

/** Tells one run: what it saw, decided and touched. */
export function show(shell: Shell, id: string): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await findRun(client, id), (detail) => renderStory(shell, detail))
    return EXIT.ok
  })
}

/** Follows a run until it rests or needs a person; what happens is said on stderr as it happens. */
export function watch(shell: Shell, id: string, flags: { readonly timeout: string }): Promise<ExitCode> {
  const deadline = performance.now() + seconds(flags.timeout) * 1_000
  return withClient(shell, 'look', async (client) => {
    const told = new Set<string>()
    let detail = await findRun(client, id)
    for (;;) {
      const fresh = inert(detail.story.lines).filter((line) => line.kind !== 'left' && !told.has(JSON.stringify(line)))
      for (const line of fresh) shell.note(renderStoryLine(shell, line))
      for (const line of fresh) told.add(JSON.stringify(line))
      const openApprovals = detail.approvals.filter(({ state }) => state === 'open').map((approval) => approval.id)
      const rests = !isUnderWay({ state: detail.state, openApprovals }) || detail.heldBy !== null
      if (rests || performance.now() >= deadline) break
      await pause(POLL_MS, undefined, { signal: shell.signal })
      detail = await client.run(detail.run)
    }
    shell.result(detail, (view) => renderStory(shell, view))
    return exitOf(detail)
  })
}

/** The run that an id, or a part of one, means. */
export function findRun(client: Client, id: string): Promise<WireRunDetail> {
  const ids = async () => (await client.runs({ limit: RUNS_SEARCHED })).map(({ run }) => run)
  return identify(id, { name: 'run', get: (whole) => client.run(whole), ids })
}

function parseState(text: string): WireRunHead['state'] {
  const state = RUN_STATES.find((known) => known === text)
  if (state === undefined)
    throw new CliError('usage_invalid', `"${text}" is no state of a run. There are: ${RUN_STATES.join(', ')}.`)
  return state
}

function renderRuns(shell: Shell, runs: readonly WireRunHead[]): string {
  if (runs.length === 0)
    return 'No such runs. Start one: tidegate run WORKFLOW key=value. `tidegate workflows list` shows the workflows.'
  const nowMs = Date.now()
  const rows = runs.map((head) => [
    head.run,
    styleState(shell.style, head.state),
    head.workflow,
    String(head.effects),
    renderWhen(head.openedAtMs, nowMs),
    summaryOf(head),
  ])
  return renderTable(['run', 'state', 'workflow', 'effects', 'opened', 'summary'], rows, shell.columns)
}

function summaryOf({ summary, openApprovals, openItems }: WireRunHead): string {
  const waits = [...openApprovals.map((id) => `approval ${id}`), ...(openItems === 0 ? [] : [`${openItems} left for a person`])]
  return [summary.replaceAll('\n', ' '), ...waits].filter((part) => part !== '').join('; ')
}
