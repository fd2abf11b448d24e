import { MODEL_LIMITS, type ModelCall, readModelCall } from '@tidegate/kernel'
import { isRecord } from './failure.ts'

/**
 * Puts tool calls together from the pieces of a stream, or takes them whole.
 *
 * 1. A piece belongs to the call with its index; without an index, to the call with its id. A piece that says neither is refused.
 * 2. A new id *with* a name at an index in use begins another call: some servers number all parallel calls 0. A new id without a
 *    name is refused.
 * 3. Two calls with one id are refused, and so is a call without an id or a name: nothing is renamed or made up.
 * 4. Arguments are not interpreted before the end. Past the limit they are counted as too large and no longer kept.
 *
 * Everything is under the control of the model. `take` and `finish` answer with what is wrong, for people, as a string.
 */
export interface CallAssembly {
  take(pieces: unknown): string | undefined
  finish(): readonly ModelCall[] | string
}

interface OpenCall {
  readonly id: string
  name: string | undefined
  argumentsText: string
}

interface Piece {
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly argumentsText: string
}

const NAME = /^[A-Za-z0-9_.-]+$/

/** Starts the assembly of the calls of one reply. */
export function createCallAssembly(): CallAssembly {
  const calls: OpenCall[] = []
  const byIndex = new Map<number, OpenCall>()
  const byId = new Map<string, OpenCall>()

  const begin = ({ id, name, index, argumentsText }: Piece): string | undefined => {
    if (id === undefined) return 'a tool call without an id'
    if (byId.has(id)) return 'two tool calls with the same id'
    if (calls.length >= MODEL_LIMITS.callsPerReply) return `more than ${MODEL_LIMITS.callsPerReply} tool calls`
    const call: OpenCall = { id, name, argumentsText: bounded(argumentsText) }
    calls.push(call)
    byId.set(id, call)
    if (index !== undefined) byIndex.set(index, call)
    return undefined
  }
  const takePiece = (piece: Piece): string | undefined => {
    const { index, id, name } = piece
    const known = index === undefined ? byId.get(id ?? '') : byIndex.get(index)
    if (known === undefined)
      return index === undefined && id === undefined ? 'a piece of a tool call that belongs to none' : begin(piece)
    if (index === undefined && name !== undefined) return 'two tool calls with the same id'
    if (id !== undefined && id !== known.id) return name === undefined ? 'a tool call that changes its id' : begin(piece)
    if (name !== undefined && known.name !== undefined && name !== known.name) return 'a tool call that changes its name'
    known.name ??= name
    known.argumentsText = bounded(known.argumentsText + piece.argumentsText)
    return undefined
  }
  const take = (pieces: unknown): string | undefined => {
    if (pieces === undefined || pieces === null) return undefined
    if (!Array.isArray(pieces)) return 'tool calls that are not a list'
    for (const raw of pieces) {
      const piece = readPiece(raw)
      const defect = typeof piece === 'string' ? piece : takePiece(piece)
      if (defect !== undefined) return defect
    }
    return undefined
  }
  const finish = (): readonly ModelCall[] | string => {
    const read: ModelCall[] = []
    for (const { id, name, argumentsText } of calls) {
      if (name === undefined) return 'a tool call without a name'
      read.push(readModelCall(id, name, argumentsText))
    }
    return read
  }
  return { take, finish }
}

/** One unit past the limit is kept, so that the end can tell. */
function bounded(text: string): string {
  return text.length > MODEL_LIMITS.argumentsLength + 1 ? text.slice(0, MODEL_LIMITS.argumentsLength + 1) : text
}

function readPiece(raw: unknown): Piece | string {
  if (!isRecord(raw)) return 'a tool call that is not an object'
  if (isPresent(raw.type) && raw.type !== 'function') return 'a tool call of an unknown type'
  const index = raw.index ?? undefined
  if (index !== undefined && !(typeof index === 'number' && Number.isSafeInteger(index) && index >= 0))
    return 'a tool call with a wrong index'
  const { id } = raw
  if (isPresent(id) && !(typeof id === 'string' && id.length <= MODEL_LIMITS.callIdLength && id.isWellFormed())) {
    return 'a tool call with a wrong id'
  }
  const named = raw.function ?? {}
  if (!isRecord(named)) return 'a tool call without a function'
  const { name } = named
  if (isPresent(name) && !(typeof name === 'string' && name.length <= MODEL_LIMITS.nameLength && NAME.test(name))) {
    return 'a tool call with a wrong name'
  }
  const argumentsText = named.arguments ?? ''
  if (typeof argumentsText !== 'string') return 'a tool call whose arguments are not text'
  return { index, id: isPresent(id) ? id : undefined, name: isPresent(name) ? name : undefined, argumentsText }
}

/** In a stream, what was said before comes as absent, null or empty, depending on the server. */
function isPresent<T>(value: T): value is Exclude<T, undefined | null | ''> {
  return value !== undefined && value !== null && value !== ''
}
