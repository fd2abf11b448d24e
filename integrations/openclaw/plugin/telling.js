/** What is kept while the server does not answer; the oldest goes first. */
const KEPT = 200

/**
 * Tells the server in order what the agent was told, and keeps what could not be told yet. `flush` resolves when all of it is there, and
 * rejects when something is not: a call that is decided without it would be decided as if nobody else had spoken.
 */
export function createTelling({ tell, log }) {
  const waiting = []
  let sending

  async function send() {
    while (waiting.length > 0) {
      const [first] = waiting
      const { status } = await tell('/v1/host/heard', first)
      if (status >= 500) throw new Error(`its answer was ${status}`)
      if (status !== 200) log.error(`[tidegate] what was said is refused: its answer was ${status}`)
      if (waiting[0] === first) waiting.shift()
    }
  }

  const flush = () => {
    sending ??= send().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    flush,
    push(words) {
      waiting.push(words)
      if (waiting.length > KEPT) waiting.shift()
      flush().catch((error) =>
        log.warn(`[tidegate] what was said could not be told yet: ${error instanceof Error ? error.message : String(error)}`),
      )
    },
  }
}
