import type { Journal, Outcome, PolicyRule, RunEvent, RunHead, RunOpened } from '@tidegate/kernel'
import { hostWorkflowName, modelWorkflowName } from './call-workflow.ts'
import type { HostDeclaration } from './host.ts'

/** Which calls a report is about. */
export interface ObservedQuery {
  /** All hosts when absent. */
  readonly host?: string
  readonly sinceMs?: number
}

/** Calls that one policy would not have let through as they were. */
export interface ObservedGroup {
  readonly host: string
  readonly operation: string
  readonly policy: string
  readonly reason: string
  readonly outcome: Exclude<Outcome, 'allow'>
  readonly calls: number
  readonly firstMs: number
  readonly lastMs: number
  /** One of the runs, to look at. */
  readonly example: string
  /** What to write where, so that such calls go through without a question. */
  readonly quiet: readonly string[]
}

/** What would have been, had the hosts that are only observed been governed. */
export interface ObservedReport {
  /** Calls that were looked at, and how many there were of each outcome. */
  readonly calls: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** Most calls first. */
  readonly groups: readonly ObservedGroup[]
  /** True when there are older calls that were not looked at. */
  readonly isCut: boolean
}

export interface ObservedParts {
  readonly journal: Pick<Journal, 'runs' | 'read'>
  readonly hosts: readonly HostDeclaration[]
  /** The policies in force. */
  readonly rules: readonly PolicyRule[]
}

const MAX_CALLS = 20_000
const PAGE = 500

/** Tells from the ledger what policies would have said about the calls of hosts that are only observed. */
export async function reportObserved(parts: ObservedParts, { host, sinceMs = 0 }: ObservedQuery): Promise<ObservedReport> {
  const outcomes: Record<Outcome, number> = { allow: 0, dry_run: 0, ask: 0, deny: 0 }
  const groups = new Map<string, ObservedGroup>()
  let calls = 0
  let isCut = false
  const hosts = parts.hosts.filter((each) => host === undefined || each.name === host)
  const workflows = hosts.flatMap(({ name }) => [hostWorkflowName(name), modelWorkflowName(name)].map((of) => ({ name, of })))
  for (const { name, of } of workflows) {
    for await (const head of headsOf(parts.journal, of)) {
      if (head.openedAtMs < sinceMs) break
      if (calls >= MAX_CALLS) {
        isCut = true
        break
      }
      const call = await readCall(parts.journal, head)
      if (call === undefined) continue
      calls++
      outcomes[call.outcome]++
      for (const { id, reason } of call.outcome === 'allow' ? [] : call.policies) {
        const key = JSON.stringify([name, call.operation, id, call.outcome])
        const before = groups.get(key)
        groups.set(key, grow(before, { ...call, host: name, policy: id, reason, atMs: head.openedAtMs, rules: parts.rules }))
      }
    }
  }
  return {
    calls,
    outcomes,
    groups: [...groups.values()].toSorted((a, b) => b.calls - a.calls || (a.policy < b.policy ? -1 : 1)),
    isCut,
  }
}

/** The runs of a workflow, newest first. */
async function* headsOf(journal: ObservedParts['journal'], workflow: string): AsyncGenerator<RunHead> {
  for (let before: string | undefined; ; ) {
    const page = await journal.runs({
      workflow,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    })
    yield* page
    if (page.length < PAGE) return
    before = page.at(-1)?.run
  }
}

interface ObservedCall {
  readonly run: string
  readonly operation: string
  readonly agent: string
  readonly outcome: Outcome
  readonly policies: readonly { readonly id: string; readonly reason: string }[]
}

/** What was decided about a call that was only observed; undefined for one that was governed, or whose content is erased. */
async function readCall(journal: ObservedParts['journal'], { run }: RunHead): Promise<ObservedCall | undefined> {
  const entries = await journal.read(`run/${run}`)
  if (entries.some(({ erased }) => erased)) return undefined
  const events = entries.flatMap((entry) => entry.events as readonly RunEvent[])
  const opened = events[0]
  const proposed = events.find((event) => event.type === 'action.proposed')
  const decided = events.find((event) => event.type === 'action.decided')
  if (opened?.type !== 'run.opened' || !isObserved(opened) || proposed === undefined || decided === undefined) return undefined
  const outcome = decided.would ?? decided.outcome
  return { run, operation: proposed.operation, agent: opened.agent, outcome, policies: decided.policies }
}

function isObserved({ call, undoes }: RunOpened): boolean {
  return call?.observes === true && undoes === null
}

interface Found extends ObservedCall {
  readonly host: string
  readonly policy: string
  readonly reason: string
  readonly atMs: number
  readonly rules: readonly PolicyRule[]
}

function grow(before: ObservedGroup | undefined, found: Found): ObservedGroup {
  const { host, operation, policy, reason, outcome, run, atMs } = found
  if (before !== undefined) return { ...before, calls: before.calls + 1, firstMs: Math.min(before.firstMs, atMs) }
  if (outcome === 'allow') throw new Error('what is allowed is in no group')
  return { host, operation, policy, reason, outcome, calls: 1, firstMs: atMs, lastMs: atMs, example: run, quiet: quietFor(found) }
}

/** What to write where. Whether one should is for people to say. */
function quietFor({ host, operation, policy, agent, rules }: Found): readonly string[] {
  const rule = rules.find(({ id }) => id === policy)
  if (policy === 'tidegate:default-deny')
    return ['in a policy of the project:', `permit (principal == Agent::"${agent}", action == Action::"${operation}", resource);`]
  if (policy === 'tidegate:not-in-workflow') return [`in tidegate.yaml, hosts, ${host}:`, `operations: [${operation}]`]
  if (policy === 'tidegate:quarantined') return [`tidegate tools review, then: tidegate tools accept ${operation}`]
  if (policy === 'tidegate:policy-error')
    return ['mend the policy that the reason names: until then everything that it is about is denied']
  if (rule === undefined) return []
  if (rule.file.startsWith('profiles/'))
    return ['in tidegate.yaml:', 'exceptions:', `  - { policy: ${policy}, operations: [${operation}], why: "..." }`]
  if (rule.file.endsWith('.cedar'))
    return [`in ${rule.file}, at line ${rule.line}, before the semicolon:`, `unless { action == Action::"${operation}" }`]
  return [`in ${rule.file}: raise the limit, or leave ${operation} out of what it counts`]
}
