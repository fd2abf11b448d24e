import type { RunHead, RunQuery, RunState } from '@tidegate/kernel'
import type { ApprovalView, QueueView } from '../api.ts'
import type { Harness } from '../harness/harness.ts'
import type { HarnessParts } from '../harness/parts.ts'
import { viewOf } from './approvals.ts'

/** How many heads are looked at in one go. */
const PAGE = 500
/** How many runs a list is made of at most: newest first. */
const LISTED = 10_000

/** What people are asked: by the runs that wait, or by the newest runs whatever became of them. */
export async function listApprovals(
  parts: HarnessParts,
  harness: Harness,
  state: 'open' | 'all',
): Promise<readonly ApprovalView[]> {
  const query = state === 'open' ? { states: ['waiting'] } : {}
  const runs = await loadRuns(parts, harness, query, (head) => state === 'all' || head.openApprovals.length > 0)
  return runs.flatMap((run) =>
    [...run.approvals.values()].filter((a) => state === 'all' || a.state === 'open').map((a) => viewOf(parts, run, a)),
  )
}

/** What waits for a person, however old its run is; or everything that ever did in the newest runs. */
export async function listQueue(parts: HarnessParts, harness: Harness, all: boolean): Promise<readonly QueueView[]> {
  const query = all ? {} : { openItems: true as const }
  const runs = await loadRuns(parts, harness, query, (head) => all || head.openItems > 0)
  return runs.flatMap((run) =>
    [...run.items.values()]
      .filter((item) => all || item.resolvedBy === null)
      .map((item) => ({ ...item, run: run.opened.run, workflow: run.opened.workflow })),
  )
}

/** The newest runs that are wanted, one after the other: a long list leaves room for whoever wants to stop something. */
async function loadRuns(
  { journal }: HarnessParts,
  harness: Harness,
  query: Omit<RunQuery, 'limit' | 'before'>,
  isWanted: (head: RunHead) => boolean,
): Promise<readonly RunState[]> {
  const runs: RunState[] = []
  for (let before: string | undefined; runs.length < LISTED; ) {
    const page = await journal.runs({ ...query, limit: PAGE, ...(before === undefined ? {} : { before }) })
    for (const head of page.filter(isWanted).slice(0, LISTED - runs.length)) {
      const run = await loadUnlessErased(harness, head.run)
      if (run !== undefined) runs.push(run)
    }
    before = page.at(-1)?.run
    if (page.length < PAGE) break
  }
  return runs
}

/** A run whose content is gone has nothing to show. A store that fails is no empty list. */
async function loadUnlessErased(harness: Harness, run: string): Promise<RunState | undefined> {
  try {
    return await harness.load(run)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'run_erased') return undefined
    throw error
  }
}
