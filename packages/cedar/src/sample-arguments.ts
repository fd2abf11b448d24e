import type { Json, JsonObject } from '@tidegate/kernel'
import type { ArgumentType, RecordType } from './argument-type.ts'

/**
 * Arguments that policies can look at: the required ones, with the plainest value of their type (a word of the enumeration, `""`, 0,
 * false, an empty list). For tests and questions about policies that do not care about arguments; the operation itself may refuse them.
 */
export function sampleArguments({ members }: RecordType): JsonObject {
  const required = Object.entries(members).filter(([, member]) => member.required)
  return Object.fromEntries(required.map(([name, { type }]) => [name, sampleOf(type)]))
}

function sampleOf(type: ArgumentType): Json {
  switch (type.kind) {
    case 'text':
      return type.words?.[0] ?? ''
    case 'long':
    case 'decimal':
      return 0
    case 'flag':
      return false
    case 'set':
      return []
    case 'record':
      return sampleArguments(type)
  }
}
