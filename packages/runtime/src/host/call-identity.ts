import { actionDigest, digestOf, type Hasher } from '@tidegate/kernel'
import type { HarnessParts } from '../harness/parts.ts'
import type { HostCall } from './host.ts'

/** The trigger event of a call: the keyed id of its conversation, and a hash of its name in it; what a guard refuses has one of its own. */
export function eventOfCall(
  hasher: Hasher,
  named: { readonly session: string; readonly call: string; readonly refused?: string },
): string {
  return `${named.session}.${digestOf(hasher, named).slice(0, 32)}`
}

/** The digest that the action of a call will have (I2); undefined when its arguments are not what the operation takes. */
export function digestOfCall(
  { registry, hasher }: { readonly registry: Pick<HarnessParts['registry'], 'find'>; readonly hasher: Hasher },
  { operation, arguments: args }: Pick<HostCall, 'operation' | 'arguments'>,
): string | undefined {
  const declared = registry.find(operation)
  if (declared === undefined) return undefined
  try {
    const shaped = declared.input.parse(args)
    return shaped.ok ? actionDigest(hasher, declared, shaped.value) : undefined
  } catch {
    return undefined
  }
}
