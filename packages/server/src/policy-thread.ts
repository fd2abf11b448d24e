import { Worker } from 'node:worker_threads'
import { type CedarSchema, type CheckPolicies, checkPolicies, type PolicyCheck } from '@tidegate/cedar'
import type { PolicyText } from '@tidegate/kernel'

const MAIN = new URL('./policy-thread-main.ts', import.meta.url)
const TIMEOUT_MS = 60_000
const MEMORY_MB = 512

/** Checks policies: at the start in this thread, where nothing waits yet, and then in threads of their own. */
export interface PolicyChecker {
  readonly check: CheckPolicies
  /** From now on somebody waits: a stop must not be held up by somebody's two thousand policies. */
  moveToThreads(): void
}

/**
 * Creates a checker. One thread at a time, and a fresh one for each set: whatever a text does to Cedar's parser (time, memory, a trap
 * that leaves it unusable) ends with its thread, and the set is refused as `policy_engine`.
 */
export function createPolicyChecker(options: { readonly timeoutMs?: number } = {}): PolicyChecker {
  const { timeoutMs = TIMEOUT_MS } = options
  let threaded = false
  let last: Promise<unknown> = Promise.resolve()
  return {
    check(texts, schema) {
      if (!threaded) return checkPolicies(texts, schema)
      const next = last.then(() => checkInThread(texts, schema, timeoutMs))
      last = next
      return next
    },
    moveToThreads() {
      threaded = true
    },
  }
}

async function checkInThread(texts: readonly PolicyText[], schema: CedarSchema, timeoutMs: number): Promise<PolicyCheck> {
  const { promise, resolve } = Promise.withResolvers<PolicyCheck>()
  const workerData = { texts: texts.map(({ file, text }) => ({ file, text })), schema }
  const worker = new Worker(MAIN, { workerData, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } })
  const timer = setTimeout(() => resolve(gaveUp(`did not end within ${timeoutMs} ms`)), timeoutMs)
  // Sound: the thread runs our own module, which answers nothing else.
  worker.once('message', (answer) => resolve(answer as PolicyCheck))
  worker.once('error', (error) => resolve(gaveUp(`broke off (${error instanceof Error ? error.name : 'unknown'})`)))
  worker.once('exit', () => resolve(gaveUp('ended without an answer')))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function gaveUp(what: string): PolicyCheck {
  return { kind: 'faulty', code: 'policy_engine', message: `the check of the policies ${what}: report the policy`, issues: [] }
}
