import type { Journal, Log, RunHead } from '@tidegate/kernel'
import type { Control } from '../control.ts'

const FINAL = ['completed', 'failed', 'stopped', 'undone', 'escalated'] as const
const PAGE = 500

/** What is too old, and when to leave off. */
export interface RetentionLimits {
  readonly nowMs: number
  /** How long the content of a finished run is kept. */
  readonly keepMs: number
  /** Ends the sweep between two runs. */
  readonly signal?: { readonly aborted: boolean }
}

/**
 * Erases the content of runs that finished longer ago than they are to be kept; answers how many. Their leaves and every proof stay.
 *
 * A run stays as long as something in the queue waits for a person, or another run is taking it back. Whoever wants to undo a run later
 * than that is told that its content is gone.
 *
 * The intent is recorded first: if we crash in between, the next sweep finds the run still unerased and erases it again, which
 * changes nothing more.
 */
export async function sweepRetention(
  parts: { journal: Journal; control: Control; log: Log },
  { nowMs, keepMs, signal }: RetentionLimits,
): Promise<number> {
  const { journal, control, log } = parts
  let erased = 0
  for (let before: string | undefined; ; ) {
    const page = await journal.runs({ states: FINAL, limit: PAGE, ...(before === undefined ? {} : { before }) })
    const wanted = new Set((await journal.openRuns()).flatMap(({ undoes }) => undoes ?? []))
    for (const head of page) {
      if (signal?.aborted === true) return erased
      if (!isOver(head, nowMs - keepMs) || wanted.has(head.run)) continue
      if (!(await hasContent(journal, head.run))) continue
      const why = `finished longer than ${keepMs} ms ago`
      await control.append([{ type: 'run.erased', run: head.run, by: 'tidegate:retention', why }], { raisesEpoch: false })
      await journal.erase(`run/${head.run}`)
      erased += 1
    }
    before = page.at(-1)?.run
    if (page.length < PAGE) break
  }
  if (erased > 0) log({ level: 'info', message: `retention erased the content of ${erased} runs` })
  return erased
}

function isOver({ openItems, updatedAtMs }: RunHead, beforeMs: number): boolean {
  return openItems === 0 && updatedAtMs <= beforeMs
}

async function hasContent(journal: Journal, run: string): Promise<boolean> {
  const [first] = await journal.read(`run/${run}`)
  return first !== undefined && !first.erased
}
