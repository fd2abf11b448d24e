import type { EntityUid } from './value.ts'

/** A map by names of entities. */
export class UidMap<T> {
  readonly #types = new Map<string, Map<string, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(uid: EntityUid): T | undefined {
    return this.#types.get(uid.type)?.get(uid.id)
  }

  /** The value of the name; a new one is put in when there is none. */
  ensure(uid: EntityUid, create: () => T): T {
    let ids = this.#types.get(uid.type)
    if (ids === undefined) {
      ids = new Map()
      this.#types.set(uid.type, ids)
    }
    const known = ids.get(uid.id)
    if (known !== undefined) return known
    const value = create()
    ids.set(uid.id, value)
    this.#size += 1
    return value
  }
}
