import type { JsonObject } from '@tidegate/kernel'
import type { HostAnswer } from '@tidegate/runtime'
import { renderOutput, textOf } from './content-blocks.ts'
import { OURS } from './revision.ts'

/** The result of `tools/call`. */
export interface ToolResult {
  readonly content: readonly JsonObject[]
  readonly structuredContent?: JsonObject
  readonly isError?: true
  readonly _meta: JsonObject
}

const MAX_REASON = 500
const MAX_REASONS = 10

/**
 * What the agent reads about what became of its call. Only `done` is no error: whatever did not happen, or may not have happened, must
 * not look like success. Programs read `_meta`; nothing in it is secret.
 */
export function renderAnswer(answer: HostAnswer): ToolResult {
  switch (answer.kind) {
    case 'done':
      return renderDone(answer)
    case 'denied':
      if (answer.failure === 'planning')
        return refusal(
          answer,
          `Not understood: ${listed(answer.reasons)}. It was not done. Correct the arguments and call again.`,
        )
      return refusal(answer, `Denied: ${listed(answer.reasons)}. It was not done. Do not try to get there in another way.`)
    case 'pending':
      return refusal(
        answer,
        `Pending #${answer.approval}: people are asked whether this may happen, and it was not done yet. Go on with something else, and call again later with the same arguments.`,
        { [OURS.approval]: answer.approval },
      )
    case 'rehearsed':
      return refusal(
        answer,
        `Rehearsed only, not done${answer.reasons.length > 0 ? `: ${listed(answer.reasons)}` : ''}. It would have changed: ${textOf(answer.preview)}`,
      )
    case 'stopped':
      return refusal(answer, `Stopped: ${clip(answer.why)}. Nothing is done until people lift the stop.`)
    case 'failed':
      return refusal(answer, `Failed: ${clip(answer.message)}`)
    case 'unknown':
      return refusal(
        answer,
        `Unknown: ${clip(answer.message)} It may have happened. Do not call again before you have looked whether it did.`,
      )
    case 'refused':
      return refusal(answer, `Refused: ${clip(answer.message)}`)
    default:
      // A permit or a ticket is for a host that does the call itself: here nothing was done, and nothing may look as if.
      return refusal(answer, 'Failed: the call was decided, and not done. Tell whoever runs this Tidegate.')
  }
}

function renderDone(answer: Extract<HostAnswer, { readonly kind: 'done' }>): ToolResult {
  const { output, findings, complete, would } = answer
  const rendered = renderOutput(output)
  const content = [...rendered.content]
  if (!complete) content.push({ type: 'text', text: 'Note of Tidegate: this answer was cut short.' })
  if (findings.length > 0) {
    content.push({
      type: 'text',
      text: `Note of Tidegate: text that was hidden in this answer was taken out (${findings.length}).`,
    })
  }
  return {
    content,
    ...(rendered.structured === undefined ? {} : { structuredContent: rendered.structured }),
    _meta: {
      [OURS.run]: answer.run,
      [OURS.answer]: 'done',
      ...(complete ? {} : { [OURS.complete]: false }),
      ...(findings.length > 0 ? { [OURS.findings]: findings.map(({ path, kind }) => ({ path, kind })) } : {}),
      ...(would === undefined ? {} : { [OURS.would]: { outcome: would.outcome, reasons: [...would.reasons] } }),
    },
  }
}

function refusal(answer: HostAnswer, text: string, more: JsonObject = {}): ToolResult {
  const run: JsonObject = 'run' in answer ? { [OURS.run]: answer.run } : {}
  return { content: [{ type: 'text', text }], isError: true, _meta: { ...run, [OURS.answer]: answer.kind, ...more } }
}

function listed(reasons: readonly string[]): string {
  const shown = reasons.slice(0, MAX_REASONS).map(clip)
  return shown.length === 0 ? 'no reason was given' : shown.join('; ')
}

function clip(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 3).toWellFormed()}...` : text
}
