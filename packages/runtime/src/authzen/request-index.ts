import { loadUnlessErased } from './approval.ts'
import type { AuthZenParts } from './parts.ts'
import { ACCESS_WORKFLOW, recordOf } from './request-record.ts'

/** Finds the run of a request that was submitted before, by the key or by the denial it was submitted with. */
export interface RequestIndex {
  byKey(key: string): Promise<string | undefined>
  byDenial(token: string): Promise<string | undefined>
  add(run: string, names: { readonly key: string; readonly denial: string }): void
}

/** How many requests are remembered; the oldest are forgotten first. */
const REMEMBERED = 10_000
/** How many of the newest are read from the journal after a start. */
const RECALLED = 1_000
const PAGE = 200

/** Creates the index. It is filled from the journal when it is first asked, so that a restart forgets nothing recent. */
export function createRequestIndex(parts: AuthZenParts): RequestIndex {
  const keys = new Map<string, string>()
  const denials = new Map<string, string>()
  let recalled: Promise<void> | undefined

  function add(run: string, { key, denial }: { readonly key: string; readonly denial: string }): void {
    if (key !== '') remember(keys, key, run)
    remember(denials, denial, run)
  }

  async function recall(): Promise<void> {
    const runs: string[] = []
    for (let before: string | undefined; runs.length < RECALLED; ) {
      const page = await parts.runs.list({ workflow: ACCESS_WORKFLOW, limit: PAGE, ...(before === undefined ? {} : { before }) })
      runs.push(...page.map(({ run }) => run))
      before = page.at(-1)?.run
      if (page.length < PAGE) break
    }
    for (const run of runs.reverse()) {
      const state = await loadUnlessErased(parts, run)
      const record = state === undefined ? undefined : recordOf(state)
      if (state !== undefined && record !== undefined) add(run, { key: record.key, denial: state.opened.trigger.event })
    }
  }

  async function ready(): Promise<void> {
    recalled ??= recall()
    try {
      await recalled
    } catch (error) {
      recalled = undefined // the next one tries again
      throw error
    }
  }

  return {
    async byKey(key) {
      await ready()
      return keys.get(key)
    },
    async byDenial(token) {
      await ready()
      return denials.get(token)
    },
    add,
  }
}

function remember(map: Map<string, string>, name: string, run: string): void {
  map.set(name, run)
  const [oldest] = map.keys()
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest)
}
