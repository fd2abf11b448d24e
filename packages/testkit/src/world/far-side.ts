import type { Json, JsonObject } from '@tidegate/kernel'

/** One thing that really happened at the far side. */
export interface Deed {
  /** The far side's own name for it. */
  readonly deed: string
  readonly effectId: string
  readonly operation: string
  readonly arguments: Json
  readonly output: JsonObject
  readonly atMs: number
}

export type Applied =
  | { readonly kind: 'applied'; readonly output: JsonObject; readonly again: boolean }
  | { readonly kind: 'refused'; readonly code: string }

/**
 * A fake far side with its own records: it does what it is told, as often as it is told, and knows nothing of Tidegate. Only an
 * operation whose verb is in `keyed` recognises a call that it has seen before.
 */
export interface FarSide {
  /** Everything that ever happened, oldest first. The record that checkers hold the ledger against. */
  readonly deeds: readonly Deed[]
  apply(call: { readonly operation: string; readonly arguments: Json; readonly effectId: string }, atMs: number): Applied
  deedsOf(effectId: string): readonly Deed[]
  /** What a record looks like now. */
  read(id: string): JsonObject
  /** Whether the effect of a call is in the world now. */
  holds(effectId: string): boolean
  /** Somebody else changes a record. */
  meddle(id: string): void
}

/** Verbs that recognise a call by its effect id. */
const KEYED: ReadonlySet<string> = new Set(['mail.send', 'mail.post'])
/** Verbs that take back a deed that is named in the arguments. */
const TAKES_BACK: ReadonlySet<string> = new Set(['desk.cancel', 'desk.revoke', 'mail.recall'])

interface Entry {
  value: string
  meddled: number
}

/** Creates an empty far side. */
export function createFarSide(): FarSide {
  const deeds: Deed[] = []
  const taken = new Set<string>()
  const records = new Map<string, Entry>()

  function record(id: string): Entry {
    const known = records.get(id) ?? { value: 'new', meddled: 0 }
    records.set(id, known)
    return known
  }

  const deedsOf = (effectId: string): readonly Deed[] => deeds.filter((deed) => deed.effectId === effectId)

  function note(call: { operation: string; arguments: Json; effectId: string }, output: JsonObject, atMs: number): Applied {
    const deed = `deed-${deeds.length + 1}`
    const full = { ...output, deed }
    deeds.push({ deed, effectId: call.effectId, operation: call.operation, arguments: call.arguments, output: full, atMs })
    return { kind: 'applied', output: full, again: false }
  }

  return {
    deeds,
    deedsOf,
    apply(call, atMs) {
      const seen = KEYED.has(call.operation) ? deedsOf(call.effectId)[0] : undefined
      if (seen !== undefined) return { kind: 'applied', output: seen.output, again: true }
      const args = call.arguments as JsonObject // the fake's own declarations: every operation takes an object
      if (TAKES_BACK.has(call.operation)) {
        const target = String(args.deed)
        if (taken.has(target) || !deeds.some((deed) => deed.deed === target)) return { kind: 'refused', code: 'gone' }
        taken.add(target)
        return note(call, {}, atMs)
      }
      if (call.operation !== 'desk.set') return note(call, {}, atMs)
      const entry = record(String(args.id))
      const previous = entry.value
      entry.value = String(args.value)
      return note(call, { previous }, atMs)
    },
    read(id) {
      const standing = deeds.filter((deed) => !taken.has(deed.deed) && (deed.arguments as JsonObject).id === id)
      const flags = Object.fromEntries(standing.map((deed): [string, Json] => [deed.operation.replace('.', '-'), true]))
      const { value, meddled } = record(id)
      return { id, value, meddled, note: 'as it should be', ...flags, 'desk-set': value === 'done' }
    },
    holds(effectId) {
      return deedsOf(effectId).some(({ deed, operation, arguments: args }) => {
        if (operation !== 'desk.set') return !taken.has(deed)
        const { id, value } = args as JsonObject // desk.set takes an object
        return records.get(String(id))?.value === value
      })
    },
    meddle(id) {
      record(id).meddled += 1
    },
  }
}
