import { NEUTRAL_FACTS, type ObservedFacts, type Operation, policyRequest, type RunOpened, runToOpen } from '@tidegate/kernel'
import type { HarnessParts } from '../harness/parts.ts'
import { hostWorkflowName } from './call-workflow.ts'
import type { HostDeclaration } from './host.ts'

/**
 * Our operations that a host may use: nothing that is quarantined, and nothing that policy denies before anything is known of the
 * arguments. What the offer shows decides nothing: every call is decided by itself.
 */
export function offeredTo(parts: HarnessParts, host: HostDeclaration | undefined): readonly Operation[] {
  if (host === undefined) return []
  const quarantined = parts.quarantined?.() ?? new Set<string>()
  return host.operations.flatMap((id) => {
    const operation = parts.registry.find(id)
    if (operation?.facetOf !== undefined) return []
    return operation === undefined || quarantined.has(id) || isNeverAllowed(parts, host, operation) ? [] : [operation]
  })
}

/** True when policies deny it outright even if everything that is not known yet were in its favour. */
function isNeverAllowed(parts: HarnessParts, host: HostDeclaration, operation: Operation): boolean {
  const { policy, timeFacts, clock, registry, meters } = parts
  const entry = registry.workflow(hostWorkflowName(host.name))
  if (entry === undefined) return true
  const nowMs = clock.nowMs()
  const facts: ObservedFacts = {
    ...NEUTRAL_FACTS,
    actors: [host.person, `client:${host.name}`],
    time: timeFacts(nowMs),
    meters: Object.fromEntries(meters.view(nowMs).map(({ meter }) => [meter.name, 0])),
  }
  const admitted = { kind: 'admitted', operation, arguments: {}, digest: '', origins: [] } as const
  try {
    const verdict = policy.evaluate(policyRequest(admitted, facts, unopened(host), entry.workflow))
    return verdict.kind === 'forbidden' && verdict.forbids.some(({ outcome }) => outcome === 'deny')
  } catch {
    return false // it is decided when it is called
  }
}

function unopened({ agent, person, name, environment }: HostDeclaration) {
  const opened: RunOpened = {
    type: 'run.opened',
    run: '',
    workflow: hostWorkflowName(name),
    workflowVersion: '',
    agent,
    actors: [person, `client:${name}`],
    trigger: { source: '', event: '' },
    environment,
    stage: 4,
    policyVersion: '',
    undoes: null,
    sealed: { input: {}, undo: [] },
  }
  return runToOpen(opened, 0)
}
