import type * as DecideModule from '../../packages/runtime/src/harness/decide.ts'
import type * as ExecuteModule from '../../packages/runtime/src/harness/execute.ts'
import type * as AnswerModule from '../../packages/runtime/src/host/answer.ts'
import type * as OpenCallModule from '../../packages/runtime/src/host/open-call.ts'
import type * as SessionsModule from '../../packages/runtime/src/host/sessions.ts'
import type * as TicketsModule from '../../packages/runtime/src/host/tickets.ts'
import { active } from './active-mutation.ts'

const is = (name: string): boolean => active.name === name

/** Everybody waits for everything. */
const CLAIMED = { claims: { has: () => true } }

export function mutateDecide(original: typeof DecideModule): typeof DecideModule {
  return {
    ...original,
    async decide(parts, progress, workflow, candidate) {
      const decided = await original.decide(
        is('starts without a claim') ? { ...parts, ...CLAIMED } : parts,
        progress,
        workflow,
        candidate,
      )
      if (!is('what is governed is only observed')) return decided
      const events = decided.events.map((event) =>
        event.type === 'action.decided' ? ({ ...event, would: 'ask' } as const) : event,
      )
      return { ...decided, events }
    },
  }
}

export function mutateExecute(original: typeof ExecuteModule): typeof ExecuteModule {
  return {
    ...original,
    isUnclaimed: (parts, state, purpose) => !is('starts without a claim') && original.isUnclaimed(parts, state, purpose),
    execute(parts, state, action, operation) {
      const isBlind = is('whoever left is not noticed at the last moment') || is('starts without a claim')
      return original.execute(isBlind ? { ...parts, ...CLAIMED } : parts, state, action, operation)
    },
  }
}

export function mutateAnswer(original: typeof AnswerModule): typeof AnswerModule {
  return {
    ...original,
    answerOf(state, wants) {
      const answer = original.answerOf(state, wants)
      return is('the answer of somebody else') && answer?.kind === 'done' ? { ...answer, output: { deed: 'deed-0' } } : answer
    },
  }
}

export function mutateOpenCall(original: typeof OpenCallModule): typeof OpenCallModule {
  let calls = 0
  return {
    ...original,
    async earlierRun(parts, known, session, request) {
      if (is('a call is not recognised')) return undefined
      if (is('nobody takes up an answer'))
        return original.earlierRun(parts, known, { ...session, parked: new Map<string, readonly string[]>() }, request)
      // The ledger's claim is the last of three guards: a call is known by its name, and by its event after a restart.
      if (is('each try is a call of its own'))
        return original.earlierRun(parts, known, { ...session, events: new Map<string, string>() }, request)
      return original.earlierRun(parts, known, session, request)
    },
    newRun(parts, host, session, request, refused) {
      const first = original.newRun(parts, host, session, request, refused)
      if (first.kind !== 'new') return first
      if (is('each try is a call of its own')) return { ...first, claim: `${first.claim} ${calls++}` }
      if (is('a refusal bears the name of the call') && refused !== undefined)
        return original.newRun(parts, host, session, request, undefined)
      return first
    },
  }
}

function journalOf(journal: SessionsModule.SessionParts['journal']): SessionsModule.SessionParts['journal'] {
  if (is('a conversation is new after a restart')) return { ...journal, claimed: async () => [] }
  return is('what was heard is not recorded') ? { ...journal, append: async () => ({ kind: 'conflict', seq: 1 }) } : journal
}

export function mutateSessions(original: typeof SessionsModule): typeof SessionsModule {
  return {
    ...original,
    createSessions(parts) {
      const sessions = original.createSessions({ ...parts, journal: journalOf(parts.journal) })
      if (is('what is permitted is seen by nobody')) return { ...sessions, expect: () => undefined }
      return is('an answer tells the conversation nothing') ? { ...sessions, tell: () => undefined } : sessions
    },
    parkRun(session, digest, run) {
      if (!is('nobody keeps an answer')) original.parkRun(session, digest, run)
    },
  }
}

export function mutateTickets(original: typeof TicketsModule): typeof TicketsModule {
  const issued = new Map<string, TicketsModule.Ticketed>()
  return {
    ...original,
    createTickets(parts) {
      const tickets = original.createTickets(parts)
      const isKept = (): boolean => is('a ticket serves again') || is('a ticket outlives the process')
      return {
        issue(of) {
          const ticket = tickets.issue(of)
          if (isKept() || is('a ticket is good for anything')) issued.set(ticket, of)
          return ticket
        },
        redeem(ticket, call) {
          const found = tickets.redeem(ticket, call)
          const isOpen = isKept() || is('a ticket is good for anything')
          return 'why' in found && isOpen ? (issued.get(ticket) ?? found) : found
        },
      }
    },
  }
}
