import type { HostAnswer } from '@tidegate/runtime'
import { clip } from '../reply.ts'

/** A no to a question to a model: a status that clients understand, a code, and a sentence. */
export interface ModelRefusal {
  readonly status: number
  readonly code: string
  readonly message: string
  /** Whether it helps to try again at once. Clients do so by themselves unless they are told. */
  readonly isPassing: boolean
}

/** A policy that a limit was written as (docs/spec/limits.md), at the end of a reason. */
const OF_LIMIT = /(?:^|\()limit\.[a-z0-9.-]{1,60}\)?$/

/** What a host is told when its question was not sent, or had no reply; undefined for one that has been answered. */
export function refusalOf(answer: HostAnswer): ModelRefusal | undefined {
  switch (answer.kind) {
    case 'done':
      return undefined
    case 'denied': {
      const why = answer.reasons.join('; ')
      const isBudget = answer.reasons.length > 0 && answer.reasons.every((reason) => OF_LIMIT.test(reason))
      return isBudget
        ? no(429, 'tidegate_limit', `A limit of this agent is used up: ${why}. Run ${answer.run}.`)
        : no(403, 'tidegate_denied', `Tidegate denies this: ${why}. Run ${answer.run}.`)
    }
    case 'stopped':
      return no(503, 'tidegate_stopped', `Tidegate has stopped this agent: ${answer.why}. Run ${answer.run}.`)
    case 'pending':
      return no(403, 'tidegate_asked', `People are asked (${answer.approval}) and have not answered.`)
    case 'rehearsed':
      return no(403, 'tidegate_denied', `Tidegate only tries this agent out: ${answer.reasons.join('; ')}. Run ${answer.run}.`)
    case 'failed':
      return answer.failure === 'connector_timeout'
        ? { ...no(504, 'tidegate_unreached', `The model did not answer: ${answer.message}`), isPassing: true }
        : no(502, 'tidegate_unreached', `The model was not asked, or did not answer: ${answer.message}`)
    case 'unknown':
      return no(504, 'tidegate_unknown', `It is not known what came of this: ${answer.message}. Run ${answer.run}.`)
    case 'permit':
    case 'ticket':
      return no(500, 'tidegate_defect', 'The question was not asked.')
    case 'refused':
      return REFUSED[answer.code]
  }
}

const REFUSED: Readonly<Record<Extract<HostAnswer, { kind: 'refused' }>['code'], ModelRefusal>> = {
  too_busy: { ...no(429, 'tidegate_busy', 'Too many calls of this host are under way.'), isPassing: true },
  not_recorded: no(503, 'tidegate_not_recorded', 'The call could not be recorded, so it was not made.'),
  unknown_host: no(403, 'tidegate_unknown_host', 'The project does not list this host any more.'),
  invalid_call: no(400, 'tidegate_invalid', 'The call is not one that can be recorded.'),
}

function no(status: number, code: string, message: string): ModelRefusal {
  return { status, code, message: clip(message), isPassing: false }
}
