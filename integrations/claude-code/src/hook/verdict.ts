import { isDeepStrictEqual } from 'node:util'
import type { Reply } from './door.ts'

/**
 * What is to become of a call. `go`: the host's own rules judge next, with these arguments where they are not the same; `allow`: they do
 * not ask either. `no`: it does not happen, and the model is told why.
 */
export type Verdict =
  | { readonly kind: 'go' | 'allow'; readonly input?: Readonly<Record<string, unknown>> }
  | { readonly kind: 'no'; readonly reason: string }

/** The call that was asked about. */
export interface Asked {
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** How strict this hook is by itself: when nobody answers, and when a permit was given. */
export interface Strictness {
  readonly mode: 'observe' | 'enforce'
  readonly permit: 'host' | 'allow'
}

/** The argument in which a ticket is handed to our own tools. */
const TICKET = '_tidegate_ticket'
const MAX_REASON = 1_800

/**
 * Judges a call by what the server said. Total: every reply, understood or not, has a verdict.
 *
 * What is understood is followed whatever our own mode is, so that a server in enforce mode holds even where the hook was not told yet.
 * What is not understood goes on in observe mode and does not in enforce mode.
 */
export function judge(reply: Reply, { tool, input }: Asked, { mode, permit }: Strictness): Verdict {
  const closed = (why: string): Verdict =>
    mode === 'observe' ? { kind: 'go' } : { kind: 'no', reason: said(`Tidegate decides this call, and ${why}. It was not made.`) }
  if (!reply.ok) return closed(reply.why)
  const answer = reply.value
  if (!isRecord(answer)) return closed('its answer was not understood')
  switch (answer.answer) {
    case 'permit':
    case 'ticket':
      return permitted(answer, { tool, input }, permit) ?? closed('its answer had no arguments')
    case 'denied':
      return { kind: 'no', reason: said(`Denied by policy: ${texts(answer.reasons).join('; ') || 'no reason was given'}.`) }
    case 'pending':
      return {
        kind: 'no',
        reason: said(
          `Waiting for approval #${text(answer.approval)}. ${text(answer.message)} Make exactly the same call again later: it goes through once people have agreed.`,
        ),
      }
    case 'rehearsed':
      return {
        kind: 'no',
        reason: said(`Only rehearsed, not done. It would have done this: ${JSON.stringify(answer.preview) ?? 'unknown'}`),
      }
    case 'stopped':
      return { kind: 'no', reason: said(`Stopped: ${text(answer.message)} Do not try again until the stop is lifted.`) }
    case 'failed':
      return mode === 'observe'
        ? { kind: 'go' }
        : { kind: 'no', reason: said(`Tidegate could not decide: ${text(answer.message)}`) }
    default:
      return closed('its answer was not understood')
  }
}

function permitted(answer: Readonly<Record<string, unknown>>, asked: Asked, permit: Strictness['permit']): Verdict | undefined {
  const decided = unwrap(answer.arguments, asked)
  if (decided === undefined || (answer.answer === 'ticket' && typeof answer.ticket !== 'string')) return undefined
  // What was decided is what runs (I2).
  const pinned = answer.answer === 'ticket' ? { ...decided, [TICKET]: answer.ticket } : decided
  const kind = permit === 'allow' && answer.would === undefined ? 'allow' : 'go'
  return isDeepStrictEqual(pinned, asked.input) ? { kind } : { kind, input: pinned }
}

/** The tool's own arguments: those of tools that nobody has declared stand inside, beside the name of the tool. */
function unwrap(decided: unknown, { tool, input }: Asked): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(decided)) return undefined
  if (isDeepStrictEqual(decided, input)) return decided
  const { server, tool: name, arguments: inside } = decided
  const wraps = typeof name === 'string' && (name === tool || `mcp__${String(server)}__${name}` === tool)
  return wraps && isRecord(inside) ? inside : decided
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** For a terminal and a model: no controls, nothing that hides or reorders, not long. */
function said(words: string): string {
  const plain = words.replace(/[^\P{Cc}\n]|\p{Cf}/gu, '').toWellFormed()
  return plain.length > MAX_REASON ? `${plain.slice(0, MAX_REASON)} ...` : plain
}
