import type { Journal, Outcome, RunEvent } from '@tidegate/kernel'
import { hostWorkflowName, modelWorkflowName } from './call-workflow.ts'

/** A call in the ledger whose arguments hold the word of a canary. */
export interface CanarySighting {
  readonly run: string
  readonly operation: string
  readonly atMs: number
  /** What was decided; null when it never came to that. */
  readonly outcome: Outcome | null
  /** True when nothing was to be stopped. */
  readonly observes: boolean
  /** True when the host may have done it: its effect was started. */
  readonly started: boolean
}

/** Which canary is looked for. */
export interface CanaryQuery {
  readonly host: string
  /** {@link CANARY_WORD}: nothing else in the world says it. */
  readonly nonce: string
  readonly sinceMs: number
}

/** What a canary is called. 128 bits of chance, so that nobody says it by accident. */
export const CANARY_WORD = /^tidegate-canary-[0-9a-f]{32}$/

/** Calls that are looked through, newest first: a proof looks for what it has fired just now. */
const MAX_CALLS = 2_000
const PAGE = 200

/**
 * Finds the calls of a host in whose arguments a canary stands, from the ledger: what is not recorded was not seen. Calls before
 * `sinceMs`, and those whose content is erased, are left out.
 */
export async function findCanaries(
  journal: Pick<Journal, 'runs' | 'read'>,
  { host, nonce, sinceMs }: CanaryQuery,
): Promise<readonly CanarySighting[]> {
  if (!CANARY_WORD.test(nonce)) return []
  const found: CanarySighting[] = []
  for (const workflow of [hostWorkflowName(host), modelWorkflowName(host)]) {
    let before: string | undefined
    for (let looked = 0; looked < MAX_CALLS; looked += PAGE) {
      const page = await journal.runs({ workflow, limit: PAGE, ...(before === undefined ? {} : { before }) })
      for (const { run, openedAtMs } of page) {
        if (openedAtMs < sinceMs) continue
        const sighting = await look(journal, run, nonce)
        if (sighting !== undefined) found.push({ ...sighting, atMs: openedAtMs })
      }
      before = page.at(-1)?.run
      if (page.length < PAGE || (page.at(-1)?.openedAtMs ?? 0) < sinceMs) break
    }
  }
  return found
}

async function look(
  journal: Pick<Journal, 'read'>,
  run: string,
  nonce: string,
): Promise<Omit<CanarySighting, 'atMs'> | undefined> {
  const entries = await journal.read(`run/${run}`)
  if (entries.some(({ erased }) => erased)) return undefined
  const events = entries.flatMap((entry) => entry.events as readonly RunEvent[]) // sound: the stream of a run holds nothing else
  const [opened] = events
  if (opened?.type !== 'run.opened' || opened.undoes !== null) return undefined
  const { operation, arguments: args } = opened.sealed.input
  if (!JSON.stringify(args ?? null).includes(nonce)) return undefined
  const decided = events.find((event) => event.type === 'action.decided')
  return {
    run,
    operation: typeof operation === 'string' ? operation : '',
    outcome: decided?.outcome ?? null,
    observes: opened.call?.observes === true,
    started: events.some((event) => event.type === 'effect.started'),
  }
}
