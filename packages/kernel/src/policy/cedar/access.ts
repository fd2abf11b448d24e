import { missingEntity, missingEntityAttribute, missingRecordAttribute, missingTag, typeFailure } from './failure.ts'
import { type Compiled, type Environment, findEntity, fold, type Term, termOf, testOf } from './node.ts'
import { checkedValue } from './set.ts'
import { type CedarRecord, EntityUid, isRecord, type Value } from './value.ts'

/** Reads a property that a record has itself; undefined when it has none. */
type Reader = (record: CedarRecord) => Value | undefined

/**
 * A reader of one attribute. Names that every object inherits (`constructor`, `toString`, `__proto__`) are looked up as own
 * properties; for all others a plain read says the same and is several times faster.
 */
function readerOf(attribute: string): Reader {
  if (attribute in {}) return (record) => (Object.hasOwn(record, attribute) ? record[attribute] : undefined)
  return (record) => record[attribute]
}

/** `left.attribute`. */
export function attributeAccess(left: Compiled, attribute: string, isContext: boolean): Compiled {
  const read = readerOf(attribute)
  if (isContext) {
    const run: Term = (environment) => {
      const value = read(environment.context)
      if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) return value as Value
      if (value === undefined) throw missingRecordAttribute(attribute)
      return checkedValue(value)
    }
    return attribute in {} ? termOf(run) : { form: 'term', run, contextAttribute: attribute }
  }
  const { run } = left
  const node = termOf((environment) => attributeOf(environment, run(environment), attribute, read))
  return left.form === 'constant' && left.value instanceof EntityUid ? node : fold(node, [left])
}

function attributeOf(environment: Environment, owner: Value, attribute: string, read: Reader): Value {
  if (isRecord(owner)) {
    const value = read(owner)
    if (value === undefined) throw missingRecordAttribute(attribute)
    return checkedValue(value)
  }
  if (!(owner instanceof EntityUid)) throw typeFailure(['record', 'entity'], owner)
  const entity = findEntity(environment, owner)
  if (entity === undefined) throw missingEntity(owner)
  const value = read(entity.attrs)
  if (value === undefined) throw missingEntityAttribute(owner, attribute)
  return checkedValue(value)
}

/** `left has attribute`. */
export function attributePresence(left: Compiled, attribute: string): Compiled {
  const read = readerOf(attribute)
  const { run } = left
  const node = testOf((environment) => {
    const owner = run(environment)
    if (isRecord(owner)) return read(owner) !== undefined
    if (!(owner instanceof EntityUid)) throw typeFailure(['record', 'entity'], owner)
    const entity = findEntity(environment, owner)
    return entity !== undefined && read(entity.attrs) !== undefined
  })
  return left.form === 'constant' && left.value instanceof EntityUid ? node : fold(node, [left])
}

/** `left.getTag(right)`. */
export function tagAccess(left: Compiled, right: Compiled): Compiled {
  const { run: a } = left
  const { run: b } = right
  return termOf((environment) => {
    const [owner, tag] = entityAndTag(a(environment), b(environment))
    const entity = findEntity(environment, owner)
    if (entity === undefined) throw missingEntity(owner)
    const value = readTag(entity.tags, tag)
    if (value === undefined) throw missingTag(owner, tag)
    return checkedValue(value)
  })
}

/** `left.hasTag(right)`. */
export function tagPresence(left: Compiled, right: Compiled): Compiled {
  const { run: a } = left
  const { run: b } = right
  return testOf((environment) => {
    const [owner, tag] = entityAndTag(a(environment), b(environment))
    return readTag(findEntity(environment, owner)?.tags, tag) !== undefined
  })
}

function entityAndTag(owner: Value, tag: Value): readonly [EntityUid, string] {
  if (!(owner instanceof EntityUid)) throw typeFailure(['entity'], owner)
  if (typeof tag !== 'string') throw typeFailure(['string'], tag)
  return [owner, tag]
}

function readTag(tags: CedarRecord | undefined, tag: string): Value | undefined {
  return tags !== undefined && Object.hasOwn(tags, tag) ? tags[tag] : undefined
}
