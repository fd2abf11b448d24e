import { OPERATIONS } from '../plan/hosts.ts'
import type { SeenCall } from '../run/witness.ts'
import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { canonical, lastOf, type RunRecord, runsOf, sha256, typed } from './facts.ts'

/** What every operation of the world declares. */
const MAX_ATTEMPTS = 3

/** I1, I2, I3, I4, I6: every call that reached the world was decided, recorded first, the very same, and made once. */
export function checkEffects(sim: Simulation, report: Report): void {
  const runs = runsOf(sim)
  const made = new Set<string>()
  for (const call of sim.witness.calls) {
    const name = `${call.operation} ${call.effectId} attempt ${call.attempt}`
    if (made.has(`${call.effectId} ${call.attempt}`)) report('I4', `${name} was called twice`)
    made.add(`${call.effectId} ${call.attempt}`)
    checkCall(sim, runs.get(call.run) ?? [], call, (invariant, message) => report(invariant, `${name}: ${message}`))
  }
  const called = Map.groupBy(sim.witness.calls, (call) => call.effectId)
  for (const [effectId, calls] of called)
    if (calls.length > MAX_ATTEMPTS) report('I4', `${effectId} was called ${calls.length} times, more than declared`)
  const landed = new Map<string, number>()
  for (const { effectId } of sim.witness.landings) landed.set(effectId, (landed.get(effectId) ?? 0) + 1)
  for (const [effectId, count] of landed) if (count > 1) report('I4', `${effectId} is in the world ${count} times`)
}

function checkCall(sim: Simulation, records: readonly RunRecord[], call: SeenCall, report: Report): void {
  const durable = records.filter(({ index }) => index < call.durable)
  const started = typed(durable, 'effect.started').findLast(
    ({ event }) => event.action === call.action && event.attempt === call.attempt,
  )
  if (started === undefined) {
    report('I3', 'nothing durable says that it starts')
    return
  }
  const decided = lastOf(durable, 'action.decided', call.action, started.index)
  if (decided === undefined) {
    report('I1', 'it was never decided')
    return
  }
  if (decided.event.outcome !== 'allow') report('I1', `it was decided ${decided.event.outcome}`)
  const proposed = lastOf(durable, 'action.proposed', call.action)
  const operation = OPERATIONS.find(({ id }) => id === call.operation)
  const digest = sha256(
    canonical({
      arguments: call.arguments,
      operation: call.operation,
      schema: `${call.operation}/${sim.witness.lives[call.life - 1]?.schema}`,
      tool: operation?.tool ?? '',
    }),
  )
  if (digest !== started.event.digest || digest !== proposed?.event.digest)
    report('I2', 'what reached the world is not what was decided')
  const isObserved = typed(durable, 'run.opened')[0]?.event.call?.observes === true // nothing is stopped there
  checkRule(
    sim,
    call,
    { policyVersion: decided.event.policyVersion, approval: started.event.approval, index: started.index, isObserved },
    report,
  )
}

/** What the policy really says, from the plan and not from the engine. */
function checkRule(
  sim: Simulation,
  call: SeenCall,
  start: { policyVersion: string; approval: string | null; index: number; isObserved: boolean },
  report: Report,
): void {
  const life = sim.witness.lives.findLast(({ from }) => from <= start.index)
  if (life?.policyVersion !== start.policyVersion)
    report('I1', `decided under policy ${start.policyVersion}, while ${life?.policyVersion} was in force`)
  if (start.isObserved) return
  const rule = sim.scenario.policies.find(({ version }) => version === start.policyVersion)?.rules.get(call.operation)
  if (rule?.kind === 'broken' || rule?.kind === 'throws') {
    report('I6', 'the policy is broken, and it ran all the same')
    return
  }
  if (rule === undefined || !['allow', 'ask'].includes(rule.kind)) {
    report('I1', `the policy says ${rule?.kind}`)
    return
  }
  if (rule.kind === 'ask' && start.approval === null) report('I1', 'the policy asks for an approval, and there is none')
}
