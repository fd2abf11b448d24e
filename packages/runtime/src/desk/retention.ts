import type { Journal, Log } from '@tidegate/kernel'
import type { Control } from '../control.ts'

const FINAL = ['completed', 'failed', 'stopped', 'undone', 'escalated'] as const

/**
 * Erases the content of runs that finished longer ago than they are to be kept; answers how many. Their leaves and every proof stay.
 *
 * The intent is recorded first: if we crash in between, the next sweep finds the run still unerased and erases it again, which
 * changes nothing more.
 */
export async function sweepRetention(
  parts: { journal: Journal; control: Control; log: Log },
  limits: { readonly nowMs: number; readonly keepMs: number },
): Promise<number> {
  const { journal, control, log } = parts
  let erased = 0
  let before: string | undefined
  for (;;) {
    const page = await journal.runs({ states: FINAL, limit: 500, ...(before === undefined ? {} : { before }) })
    for (const head of page) {
      if (head.openItems > 0 || head.updatedAtMs + limits.keepMs > limits.nowMs) continue
      const [first] = await journal.read(`run/${head.run}`)
      if (first === undefined || first.erased) continue
      await control.append(
        [{ type: 'run.erased', run: head.run, by: 'tidegate:retention', why: `finished longer than ${limits.keepMs} ms ago` }],
        { raisesEpoch: false },
      )
      await journal.erase(`run/${head.run}`)
      erased += 1
    }
    before = page.at(-1)?.run
    if (page.length < 500) break
  }
  if (erased > 0) log({ level: 'info', message: `retention erased the content of ${erased} runs` })
  return erased
}
