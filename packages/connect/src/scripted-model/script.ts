import type { JsonObject } from '@tidegate/kernel'

/** What the model does in one turn: words, or calls of tools. */
export type Said = { readonly say: string } | { readonly tool: string; readonly input: JsonObject }
export type Turn = readonly Said[]

/** One message of a conversation, in the terms of any vendor. */
export interface Heard {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  /** Its text; results of tools are not text of a person. */
  readonly text: string
  /** How many tools it calls. */
  readonly calls: number
  /** What tools have answered in it. */
  readonly results: readonly string[]
}

/** What a host asked its model. */
export interface Asked {
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly Heard[]
  /** The names of the tools that it may call. */
  readonly tools: readonly string[]
}

/** A script, and how far it has been played. */
export interface Played {
  readonly turns: readonly Turn[]
  offered: readonly string[]
  results: readonly string[]
  /** True once it was played to its end: a later message that quotes the word does not start it again. */
  isOver: boolean
}

/** What stands for a script in a conversation. Chosen by chance, so that nothing that a person wrote starts one. */
export const SCRIPT_WORD = /tidegate-script-[0-9a-f]{16}/

/**
 * Finds what comes next in a conversation: the script whose word was last said by a person (a sub-agent may find it in its system
 * prompt), at the turn that follows the calls that were made since. Undefined when there is nothing (more) to do.
 */
export function nextTurn({ messages }: Pick<Asked, 'messages'>, scripts: ReadonlyMap<string, Played>): PlayedTurn | undefined {
  const at = lastWith(messages, 'user') ?? lastWith(messages, 'system')
  const word = at === undefined ? undefined : SCRIPT_WORD.exec(messages[at]?.text ?? '')?.[0]
  const played = word === undefined ? undefined : scripts.get(word)
  if (at === undefined || played === undefined) return undefined
  const made = messages.slice(at + 1).filter(({ role, calls }) => role === 'assistant' && calls > 0).length
  const results = messages.slice(at + 1).flatMap((message) => message.results)
  return { played, turn: played.isOver ? undefined : played.turns[made], results }
}

interface PlayedTurn {
  readonly played: Played
  readonly turn: Turn | undefined
  /** What tools have answered since the word was said. */
  readonly results: readonly string[]
}

function lastWith(messages: readonly Heard[], wanted: Heard['role']): number | undefined {
  const at = messages.findLastIndex(({ role, text }) => role === wanted && SCRIPT_WORD.test(text))
  return at < 0 ? undefined : at
}
