/**
 * Policies of the literature over the same facts, to compare a profile with. `ask` and `deny` are about changes, and about reads that tell
 * somebody outside something.
 */
const ACTS = '(context.mutability != "read" || context.flow.egress != "none")'
const OUTSIDE = `@id("outside") @reason("not part of the plan") forbid (principal, action, resource) when { context.flow.grant == "outside" && ${ACTS} };`

function asking(condition: string): string {
  return `@id("asks") @outcome("ask") @approvers("role:operator") @reason("asks")
forbid (principal, action, resource) when { ${condition} && ${ACTS} } unless { context.approvals.contains("asks") };`
}

const UNGROUNDED = 'context.flow.tainted && ["none", "unknown", "listed"].contains(context.flow.sinks)'
const UNLISTED = 'context.flow.tainted && ["none", "unknown"].contains(context.flow.sinks)'
const ANY_UNGROUNDED = 'context.flow.tainted && (context.flow.sinks == "none" || !context.flow.ungrounded.isEmpty())'

/** By name: the text of the policies, and what they are in words. */
export const BASELINES = {
  none: { title: 'nothing is forbidden', text: '' },
  everything: { title: 'every change asks', text: asking('true') },
  plan: { title: 'only the plan: outside it, deny', text: OUTSIDE },
  taint: { title: 'every change asks once something untrusted was read', text: asking('context.flow.tainted') },
  targets: { title: 'P4: targets must be grounded', text: asking(UNGROUNDED) },
  'targets-plan': { title: 'P5: P4 and the plan', text: `${OUTSIDE}\n${asking(UNGROUNDED)}` },
  'directory-plan': { title: 'P7: P5, members of closed sets count', text: `${OUTSIDE}\n${asking(UNLISTED)}` },
  'all-plan': { title: 'P6: every argument must be grounded, and the plan', text: `${OUTSIDE}\n${asking(ANY_UNGROUNDED)}` },
} as const satisfies Readonly<Record<string, { title: string; text: string }>>

export type Baseline = keyof typeof BASELINES
