/** What is kept per kind; the oldest goes first. */
const KEPT = 2000
/** Said of calls whose conversation the host does not tell. */
export const UNKNOWN_SESSION = 'unknown-session'
const MAX_KEY = 200

/**
 * Remembers which conversation a call belongs to, which conversation asked for a sub-agent, and who speaks. Never asks the host: it is
 * told by hooks as they come. What is forgotten is answered with `unknown-session` or with nobody, never with a guess.
 */
export function createConversations(people) {
  const sessionOfCall = new Map()
  const parents = new Map()
  const persons = new Map()

  /** A sub-agent speaks in the conversation of whoever started it, however deep. */
  function rootOf(session) {
    let at = session
    for (let depth = 0; depth < 16 && parents.has(at); depth += 1) at = parents.get(at)
    return at
  }

  return {
    /** The assistant's message names its tool calls before they are made: the only word on the session of an MCP call in 2026.5.7. */
    noteCalls(message, session) {
      if (message?.role !== 'assistant' || !isKey(session) || !Array.isArray(message.content)) return
      for (const part of message.content) {
        if (part?.type === 'toolCall' && typeof part.id === 'string') keep(sessionOfCall, part.id, session)
      }
    },
    noteChild(child, parent) {
      if (isKey(child) && isKey(parent) && child !== parent && rootOf(parent) !== child) keep(parents, child, parent)
    },
    notePerson(session, channel, sender) {
      const person = personOf(people, channel, sender)
      if (!isKey(session)) return
      // Somebody unknown speaks now: what follows is not on behalf of the one before.
      if (person === undefined) persons.delete(session)
      else keep(persons, session, person)
    },
    sessionOf(ctx, toolCallId) {
      const session = isKey(ctx?.sessionKey) ? ctx.sessionKey : sessionOfCall.get(toolCallId)
      return session === undefined ? UNKNOWN_SESSION : rootOf(session).slice(0, MAX_KEY)
    },
    rootOf: (session) => rootOf(session).slice(0, MAX_KEY),
    /** Who started this sub-agent; undefined for a conversation of a person. */
    childOf(ctx) {
      return isKey(ctx?.sessionKey) && parents.has(ctx.sessionKey) ? ctx.sessionKey : undefined
    },
    personOf(ctx, session) {
      const { channel, senderId } = ctx?.requester ?? {}
      return personOf(people, channel, senderId) ?? persons.get(session)
    },
  }
}

/** The person behind a sender, when the configuration knows one: what a channel calls people is not what Tidegate calls them. */
export function personOf(people, channel, sender) {
  if (typeof channel !== 'string' || typeof sender !== 'string') return undefined
  const person = Object.hasOwn(people, `${channel}:${sender}`) ? people[`${channel}:${sender}`] : undefined
  return typeof person === 'string' && person !== '' ? person : undefined
}

function isKey(value) {
  return typeof value === 'string' && value !== ''
}

function keep(map, key, value) {
  map.delete(key)
  map.set(key, value)
  if (map.size > KEPT) map.delete(map.keys().next().value)
}
