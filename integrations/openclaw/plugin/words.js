import { personOf } from './conversation.js'

const MAX_TEXT = 60_000
/** How OpenClaw 2026.5.7 dates a message before its agent sees it. */
const DATED = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]]{0,40}\] /
/** What OpenClaw itself writes in the place of a person. */
const NOT_A_PERSON =
  /^(?:\[Inter-session message\]|\[Subagent Context\]|\[cron:|System:|<<<BEGIN_OPENCLAW_INTERNAL|Sender \(untrusted metadata\)|A background task completed|Read HEARTBEAT)/
/** Conversations that a person has with the agent directly: not of sub-agents, schedules, webhooks, groups or other programs. */
const DIRECT = /^agent:[^:]+:(?:[^:]+|explicit:.+)$/

/**
 * What a message that came in through a channel is: `{ text, from }`, or undefined when it says nothing. It is the person's own word only
 * when the host's own surface sent it (its operator is logged in there), or when the configuration knows the sender.
 */
export function wordsOfMessage(event, ctx, people) {
  const text = plainText(event?.content)
  if (text === undefined) return undefined
  const channel = ctx?.channelId ?? event?.metadata?.provider
  const known = personOf(people, channel, event?.senderId ?? ctx?.senderId) !== undefined
  return { text, from: known || channel === 'webchat' ? 'user' : 'third-party' }
}

/**
 * What the prompt of a run is: the person's own words when the host says that its operator started the run (`agent --message`), and
 * undefined in every other case: it then either came through a channel, or is not a person's.
 */
export function wordsOfPrompt(event, ctx) {
  if (ctx?.trigger !== 'user' || ctx?.messageProvider !== 'webchat' || !DIRECT.test(ctx?.sessionKey ?? '')) return undefined
  return fromOperator(event?.prompt)
}

/** The same from a message as it is written down (2026.9.6), which says whether the owner sent it. */
export function wordsOfWrittenMessage(message, session) {
  if (message?.role !== 'user' || message.provenance !== undefined || !DIRECT.test(session ?? '')) return undefined
  if (message.__openclaw?.senderIsOwner !== true) return undefined
  return fromOperator(message.content)
}

function fromOperator(content) {
  const text = plainText(content)?.replace(DATED, '')
  return text === undefined || NOT_A_PERSON.test(text) ? undefined : { text, from: 'user' }
}

function plainText(content) {
  const text = Array.isArray(content)
    ? content.map((part) => (part?.type === 'text' && typeof part.text === 'string' ? part.text : '')).join('\n')
    : content
  return typeof text === 'string' && text.trim() !== '' ? text.slice(0, MAX_TEXT) : undefined
}
