import {
  type CompiledPolicies,
  compilePolicies,
  type EntityData,
  entityUid,
  type EstPolicy,
  KernelError,
  type PolicySource,
} from '@tidegate/kernel'
import { CedarError } from './error.ts'
import { parsePolicyExactly } from './language/exact-policy.ts'
import type { LoadedPolicy } from './load.ts'
import type { CedarSchema } from './schema.ts'

/** A loaded policy as it is compiled. Cedar's JSON form rounds large numbers, so it is read from the text. */
export function parseExactly({ id, text }: Pick<LoadedPolicy, 'id' | 'text'>): EstPolicy {
  const parsed = parsePolicyExactly(text)
  if (!parsed.ok) throw new CedarError('policy_engine', `policy ${id} cannot be parsed any more`)
  return parsed.policy
}

/** Compiles policies under the operations of a schema and their groups. Throws {@link CedarError} `policy_engine`. */
export function compileSources(sources: readonly PolicySource[], schema: CedarSchema): CompiledPolicies {
  try {
    return compilePolicies(sources, { actions: actionsOf(schema) })
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause
    throw new CedarError('policy_engine', `the policies cannot be compiled: ${cause.message}`, { cause })
  }
}

function actionsOf(schema: CedarSchema): readonly EntityData[] {
  return Object.entries(schema.cedar['']?.actions ?? {}).map(([id, { memberOf }]) => {
    const parents = (memberOf ?? []).map((group) => entityUid('Action', group.id))
    return { uid: entityUid('Action', id), attrs: {}, parents }
  })
}
