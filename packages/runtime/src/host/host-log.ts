import type { Clock } from '@tidegate/kernel'
import type { HostAnswer, HostDeclaration, HostHello, HostView } from './host.ts'

/** What is known of hosts since the start: for doctors and for people. Not durable; what they did is in the ledger. */
export interface HostLog {
  seen(host: string): void
  /** Counts a call as under way; false when there are too many. */
  enter(host: string, most: number): boolean
  leave(host: string): void
  count(host: string, answer: HostAnswer): void
  withoutTicket(host: string): void
  hello(hello: HostHello): HostView | undefined
  views(): readonly HostView[]
}

type Kept = { -readonly [K in keyof HostView]: HostView[K] } & { underWay: number }

export function createHostLog(hosts: readonly HostDeclaration[], clock: Clock): HostLog {
  const known = new Map(hosts.map((host): [string, Kept] => [host.name, emptyView(host)]))

  function seen(host: string): void {
    const kept = known.get(host)
    if (kept !== undefined) kept.lastSeenMs = clock.nowMs()
  }

  return {
    seen,
    enter(host, most) {
      const kept = known.get(host)
      if (kept === undefined || kept.underWay >= most) return false
      kept.underWay++
      kept.calls++
      kept.lastSeenMs = kept.lastCallMs = clock.nowMs()
      return true
    },
    leave(host) {
      const kept = known.get(host)
      if (kept !== undefined) kept.underWay--
    },
    count(host, answer) {
      const kept = known.get(host)
      if (kept === undefined) return
      if (answer.kind === 'denied') kept.denied++
      if ('would' in answer && answer.would !== undefined) kept.wouldHave++
    },
    withoutTicket(host) {
      const kept = known.get(host)
      if (kept !== undefined) kept.withoutTicket++
    },
    hello({ host, ...told }) {
      const kept = known.get(host)
      if (kept === undefined) return undefined
      Object.assign(kept, told)
      seen(host)
      return viewOf(kept)
    },
    views: () => [...known.values()].map(viewOf),
  }
}

function emptyView({ name, kind, agent, mode, tickets }: HostDeclaration): Kept {
  const never = { lastSeenMs: null, lastCallMs: null, hostVersion: null, pluginVersion: null, configDigest: null }
  const counts = { calls: 0, denied: 0, wouldHave: 0, withoutTicket: 0, underWay: 0 }
  return { name, kind, agent, mode, tickets, ...never, ...counts, surfaces: [], others: [] }
}

function viewOf({ underWay: _, ...view }: Kept): HostView {
  return view
}
