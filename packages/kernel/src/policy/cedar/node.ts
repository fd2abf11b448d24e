import { EvaluationFailure, typeFailure } from './failure.ts'
import { type Entity, type EntityStore, NO_ENTITIES } from './entities.ts'
import { type CedarRecord, type EntityUid, entityUid, type Value } from './value.ts'

/** What is being decided; one object per decision. */
export interface Environment {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
  readonly entities: EntityStore
  /** The actions that were known when the policies were compiled; they come before those among the entities. */
  readonly actions: EntityStore
}

/** A compiled expression. */
export type Term = (environment: Environment) => Value
/** A compiled expression that answers yes or no, or fails. */
export type Test = (environment: Environment) => boolean

/** A compiled expression with what is known of it before any request. */
export type Compiled =
  /** The same for every request. */
  | { readonly form: 'constant'; readonly value: Value; readonly run: Term }
  | { readonly form: 'test'; readonly run: Test }
  | {
      readonly form: 'term'
      readonly run: Term
      /** The attribute, when the expression is nothing but an attribute of the context, and no name that every object inherits. */
      readonly contextAttribute?: string
    }

export function constant(value: Value): Compiled {
  return { form: 'constant', value, run: () => value }
}

export function testOf(run: Test): Compiled {
  return { form: 'test', run }
}

export function termOf(run: Term): Compiled {
  return { form: 'term', run }
}

/** The expression as a test; one that gives anything but a boolean fails. */
export function asTest(compiled: Compiled): Test {
  if (compiled.form === 'test') return compiled.run
  const { run } = compiled
  const attribute = contextAttributeOf(compiled)
  const test: Test = (environment) => {
    const value = run(environment)
    if (typeof value === 'boolean') return value
    throw typeFailure(['bool'], value)
  }
  if (attribute === undefined) return test
  return (environment) => {
    const value = environment.context[attribute]
    return typeof value === 'boolean' ? value : test(environment)
  }
}

/** See {@link Compiled}: what reads it can read the context itself, and leave everything unusual to the expression. */
export function contextAttributeOf(compiled: Compiled): string | undefined {
  return compiled.form === 'term' ? compiled.contextAttribute : undefined
}

/**
 * Evaluates at once what depends on no request, given that nothing in it does. What fails keeps failing the same way, but only when it
 * is reached.
 */
export function fold(compiled: Compiled, parts: readonly Compiled[]): Compiled {
  if (!parts.every((part) => part.form === 'constant')) return compiled
  try {
    return constant(compiled.run(NOTHING))
  } catch (failure) {
    if (!(failure instanceof EvaluationFailure)) throw failure
    return termOf(() => {
      throw failure
    })
  }
}

export function findEntity(environment: Environment, uid: EntityUid): Entity | undefined {
  return environment.actions.find(uid) ?? environment.entities.find(uid)
}

const NOBODY = entityUid('', '')

const NOTHING: Environment = {
  principal: NOBODY,
  action: NOBODY,
  resource: NOBODY,
  context: {},
  entities: NO_ENTITIES,
  actions: NO_ENTITIES,
}
