import type { Clock, Connector, ConnectorResult, Json } from '@tidegate/kernel'

/** Who waits for the answers of call runs, and what hosts tell about calls that they do themselves. */
export interface Claims {
  has(run: string): boolean
  /** Somebody waits from now on; the answer ends it. Several may wait for one run. */
  hold(run: string): () => void
  /** Calls back when the host may do the call of a run. */
  onPermit(run: string, permit: (args: Json) => void): () => void
  /** Takes what the host tells; false when no call of this run is under way there. */
  report(run: string, result: ConnectorResult): boolean
  /** Lets hosts do calls: its `execute` gives the permit, and answers what the host then tells. */
  readonly connector: Connector
}

/** What the record of a call shows that a host did and did not tell about. */
export const UNREPORTED = { reported: false } as const

/**
 * Creates the claims of one process. They are not durable on purpose: after a crash nobody waits, so nothing starts by itself that
 * somebody would then ask for again.
 */
export function createClaims({ clock }: { readonly clock: Clock }): Claims {
  const holders = new Map<string, number>()
  const permits = new Map<string, (args: Json) => void>()
  const reports = new Map<string, (result: ConnectorResult) => void>()

  function hold(run: string): () => void {
    let isHeld = true
    holders.set(run, (holders.get(run) ?? 0) + 1)
    return () => {
      if (!isHeld) return
      isHeld = false
      const left = (holders.get(run) ?? 1) - 1
      if (left === 0) holders.delete(run)
      else holders.set(run, left)
    }
  }

  const connector: Connector = {
    execute({ effectId, arguments: args, timeoutMs }) {
      const run = effectId.slice(0, effectId.lastIndexOf('.'))
      const { promise, resolve } = Promise.withResolvers<ConnectorResult>()
      const cancel = clock.at(clock.nowMs() + timeoutMs, () => told({ kind: 'done', output: UNREPORTED, complete: false }))
      const told = (result: ConnectorResult): void => {
        cancel()
        reports.delete(run)
        resolve(result)
      }
      const permit = permits.get(run)
      if (permit === undefined) {
        cancel()
        return Promise.resolve({
          kind: 'failed',
          failure: 'refused',
          retry: 'never',
          message: 'the host has left; it was not permitted anything',
        })
      }
      reports.set(run, told)
      permit(args)
      return promise
    },
    preview: async () => NO_LOOK,
    reconcile: async () => ({ kind: 'unknown', message: 'only the host can tell whether it did what it was permitted' }),
    verify: async () => ({ holds: false, detail: 'only the host can tell' }),
  }

  return {
    has: (run) => holders.has(run),
    hold,
    onPermit(run, permit) {
      permits.set(run, permit)
      return () => {
        if (permits.get(run) === permit) permits.delete(run)
      }
    },
    report(run, result) {
      const told = reports.get(run)
      told?.(result)
      return told !== undefined
    },
    connector,
  }
}

const NO_LOOK: ConnectorResult = {
  kind: 'failed',
  failure: 'refused',
  retry: 'never',
  message: 'the tools of a host have no preview',
}
