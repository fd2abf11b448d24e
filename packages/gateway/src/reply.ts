import type { Problem } from '@tidegate/protocol'
import { type AnswerCode, STATUS_OF_CODE, TITLE_OF_STATUS, typeOfCode } from './status.ts'

/** What a request is answered with. */
export type Reply = Done | Refusal

/** `created` for what is new, `accepted` for what goes on by itself. */
export interface Done {
  readonly kind: 'done'
  readonly as: 'ok' | 'created' | 'accepted'
  readonly body: object
  /** Headers that only this answer has. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A no, as a code and a sentence. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly code: AnswerCode
  readonly detail: string
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
  readonly incident?: string
}

/** A good answer. */
export function done(body: object, as: Done['as'] = 'ok'): Done {
  return { kind: 'done', as, body }
}

/** A refusal. */
export function refuse(code: AnswerCode, detail: string, more: Pick<Refusal, 'issues' | 'incident'> = {}): Refusal {
  return { kind: 'refusal', code, detail: clip(detail), ...more }
}

/** The status of an answer. */
export function statusOf(reply: Reply): number {
  if (reply.kind === 'refusal') return STATUS_OF_CODE[reply.code]
  return { ok: 200, created: 201, accepted: 202 }[reply.as]
}

/** A refusal on the wire (RFC 9457). */
export function problemOf({ code, detail, issues, incident }: Refusal): Problem {
  const status = STATUS_OF_CODE[code]
  return {
    type: typeOfCode(code),
    title: TITLE_OF_STATUS[status] ?? 'Refused',
    status,
    detail,
    code,
    ...(issues === undefined ? {} : { issues }),
    ...(incident === undefined ? {} : { incident }),
  }
}

/** Cuts a line to what the wire allows. */
export function clip(text: string, length = 2_000): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text
}
