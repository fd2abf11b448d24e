import { type RecordType, sampleArguments } from '@tidegate/cedar'
import { isObject, type JsonObject } from '@tidegate/kernel'

/**
 * Arguments that policies can look at, for an action of which only some are said: required ones that are not given, also within
 * records that are, get the plainest value of their type. They are for policies and not for the tool, which would refuse most of them.
 */
export function completeArguments(type: RecordType | undefined, given: JsonObject): JsonObject {
  if (type === undefined) return given
  const records = Object.entries(type.members).flatMap(([name, { type: member }]) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    return member.kind === 'record' && isObject(value) ? [[name, completeArguments(member, value)] as const] : []
  })
  return { ...sampleArguments(type), ...given, ...Object.fromEntries(records) }
}
