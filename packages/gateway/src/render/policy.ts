import type { PolicyRule } from '@tidegate/kernel'
import {
  type WirePolicyExplanation,
  type WirePolicyPlan,
  type WirePolicyTexts,
  type WirePolicyVersion,
  WIRE_LIMITS,
} from '@tidegate/protocol'
import type { ExplainAnswer, PolicyPlan, PolicyTexts, PolicyVersion } from '@tidegate/runtime'
import { clip } from '../reply.ts'

const { items: ITEMS, text: TEXT } = WIRE_LIMITS

/** What a set of policies would change. */
export function renderPlan(plan: PolicyPlan): WirePolicyPlan {
  const { from, to, same, files, diff, backtest, approvers } = plan
  return {
    from,
    to,
    same,
    files: files.slice(0, ITEMS),
    diff: {
      added: diff.added.slice(0, ITEMS),
      removed: diff.removed.slice(0, ITEMS),
      changed: diff.changed.slice(0, ITEMS),
      unchanged: diff.unchanged,
    },
    backtest,
    approvers,
  }
}

/** A version that is or was in force. */
export function renderVersion(shown: PolicyVersion): WirePolicyVersion {
  const { version, inForce, atMs, index, cause, by, reviewers, why, run, previous, files } = shown
  return { version, inForce, atMs, index, cause, by: clip(by), reviewers, why: clip(why), run, previous, files }
}

/** The texts of a version. */
export function renderTexts(shown: PolicyTexts): WirePolicyTexts {
  const texts = shown.texts.map(({ file, layer, text }) => ({ file: clip(file), layer, text: clip(text, TEXT) }))
  return { ...renderVersion(shown), texts }
}

/** The decisions of a run, with the policies that determined them. */
export function renderExplanation({ run, decisions }: Extract<ExplainAnswer, { kind: 'explained' }>): WirePolicyExplanation {
  return {
    run,
    decisions: decisions.map(({ action, operation, atMs, version, recorded, verdict, recomputed, rules, hints }) => ({
      action,
      operation: clip(operation),
      atMs,
      version,
      recorded: renderOutcome(recorded),
      verdict,
      recomputed: recomputed === null ? null : renderOutcome(recomputed),
      rules: rules.map(renderRule),
      hints: hints.map((hint) => clip(hint)),
    })),
  }
}

type Explained = Extract<ExplainAnswer, { kind: 'explained' }>['decisions'][number]['recorded']

function renderOutcome({ outcome, policies, approvers }: Explained) {
  return { outcome, policies: policies.map(({ id, reason }) => ({ id: clip(id), reason: clip(reason) })), approvers }
}

function renderRule({ id, effect, outcome, approvers, reason, scope, condition, file, line, text }: PolicyRule) {
  return { id, effect, outcome, approvers, reason, scope, condition, file, line, text }
}
