/** How much of a text in an answer is told to the agent. */
const MAX_TEXT = 1000

/**
 * Turns an answer of the server into what the host is told: `{ params }` to go ahead with exactly these, or `{ block, blockReason }`.
 * Undefined for an answer that is none of those that are known: the caller decides what that means.
 */
export function verdictOf(answer, { tool, params, by, mode }) {
  switch (answer.answer) {
    case 'permit':
      return pinned(pinsOf(answer.arguments, tool, by), params)
    case 'ticket': {
      const pins = pinsOf(answer.arguments, tool, by)
      if (by !== 'tidegate' || pins === undefined || typeof answer.ticket !== 'string' || answer.ticket === '') return undefined
      return pinned({ ...pins, [TICKET]: answer.ticket }, params)
    }
    case 'denied':
      return block(
        `Tidegate denied this call${because(answer.reasons)}. Do not try it again in another form: tell the person what you wanted to do and why, or choose a permitted way.`,
      )
    case 'pending':
      return block(
        `Tidegate has asked people about this call (pending #${textOf(answer.approval)}): it has not been made. Go on with something else, tell the person that it waits for approval, and later make the same call with the same arguments to learn what became of it.${until(answer.deadlineMs)}`,
      )
    case 'rehearsed':
      return block(
        `Tidegate rehearsed this call and did not make it. It would have done: ${textOf(answer.preview)}. Do not claim that it happened.`,
      )
    case 'stopped':
      return block(
        'Tidegate has a stop in force: nothing may be done now. End your turn and tell the person so. Do not try again by yourself.',
      )
    case 'failed':
      // Observing must not break an agent because we are broken; a call of our own tools fails at our door all the same.
      if (mode === 'observe' && by === 'host') return { letGo: `Tidegate could not decide (${textOf(answer.message)})` }
      return block(
        `Tidegate could not decide about this call (${textOf(answer.message)}): it has not been made. Tell the person; try again later at most once.`,
      )
    case 'unknown':
      return block(
        'Nobody can tell whether this call has happened. Do not make it again: tell the person, who finds it in the queue of Tidegate.',
      )
    default:
      return undefined
  }
}

/** Where Tidegate keeps the arguments of a call that are not declared. */
const MORE = '_more'
/** The argument in which the tools of Tidegate are handed their ticket. */
const TICKET = '_tidegate_ticket'

/** What the host is told when a call does not go ahead. */
export function block(blockReason) {
  return { block: true, blockReason }
}

/**
 * The arguments that were decided on, as the host knows them: Tidegate puts a tool that nobody classified beside its arguments, and
 * arguments that nobody declared under a name of their own.
 */
function pinsOf(args, tool, by) {
  if (!isObject(args)) return undefined
  if (by !== 'host') return args
  if (args.tool === tool && isObject(args.arguments) && Object.keys(args).length === 2) return args.arguments
  const { [MORE]: more, ...declared } = args
  return isObject(more) ? { ...more, ...declared } : declared
}

/**
 * Exactly the decided arguments: the host lays what it is told over what was proposed, so what was not decided on is struck out.
 */
function pinned(pins, params) {
  if (pins === undefined) return undefined
  const struck = Object.fromEntries(Object.keys(params).map((name) => [name, undefined]))
  return { params: { ...struck, ...pins } }
}

function because(reasons) {
  const said = Array.isArray(reasons) ? reasons.filter((reason) => typeof reason === 'string' && reason !== '') : []
  return said.length === 0 ? '' : `: ${textOf(said.join('; '))}`
}

function until(deadlineMs) {
  return Number.isSafeInteger(deadlineMs) && deadlineMs > 0 && deadlineMs < 8.64e15
    ? ` Without an answer until ${new Date(deadlineMs).toISOString()} it counts as refused.`
    : ''
}

function textOf(value) {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
