import { type ApproverRule, type PolicyText, writeApprovers } from '@tidegate/kernel'

/** Names that the layer and the parts share. */
export const POLICY_APPLY = 'tidegate.policy.apply'
export const POLICY_READ = 'tidegate.policy.read'
export const POLICY_WORKFLOW = 'policy-change'
export const TOOL_ACCEPT = 'tidegate.tool.accept'
export const TOOL_READ = 'tidegate.tool.read'
export const TOOL_WORKFLOW = 'tool-acceptance'

/** Where people are told that these policies stand. */
export const CHANGES_FILE = 'builtin/changes.cedar'

/**
 * The policies that Tidegate adds to every set, so that no set can do without them: only its own workflows change it, and with reviewers
 * only on their word. The policies of the project are asked as well, and may restrict more.
 *
 * It is the set in force that decides on the change, never the new one.
 */
export function changesLayer(reviewers: readonly ApproverRule[]): PolicyText {
  const changes = [POLICY_APPLY, TOOL_ACCEPT].map((id) => `Action::"${id}"`)
  const reads = [POLICY_READ, TOOL_READ].map((id) => `Action::"${id}"`)
  const parts = [
    '// Made by Tidegate from changes.reviewers of tidegate.yaml. It is part of every set of policies.',
    `@id("tidegate.own-agent")
@reason("only Tidegate's own workflows may change how Tidegate decides")
forbid (principal, action in Action::"tool::tidegate", resource)
unless { principal == Agent::"tidegate" };`,
    `@id("tidegate.change-runs")
@reason("a change of policy or of a tool, by the workflow that is there for it")
permit (principal == Agent::"tidegate", action in [${[...changes, ...reads].join(', ')}], resource == Tool::"tidegate")
when { context.workflow == "${POLICY_WORKFLOW}" || context.workflow == "${TOOL_WORKFLOW}" };`,
    ...(reviewers.length === 0 ? [] : [askOf(reviewers, changes)]),
  ]
  return { file: CHANGES_FILE, text: `${parts.join('\n\n')}\n` }
}

function askOf(reviewers: readonly ApproverRule[], changes: readonly string[]): string {
  return `@id("tidegate.change-asks")
@outcome("ask")
@approvers("${writeApprovers(reviewers)}")
@reason("a change of policy or of a tool: somebody else looks at it first")
forbid (principal, action in [${changes.join(', ')}], resource)
unless { context.approvals.contains("tidegate.change-asks") };`
}
