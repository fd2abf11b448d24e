/**
 * What goes wrong with one call, in pairs: with the effect in the world and without it.
 *
 * `busy` and `refused` certainly had no effect, and say so. `broken`, `thrown` and `silent` tell nothing: `applied` says what is
 * true. `late` is silent, and the effect lands within the settling time. The others answer, but with something the caller must
 * notice.
 */
export type HazardKind =
  | 'none'
  | 'busy'
  | 'refused'
  | 'broken'
  | 'thrown'
  | 'silent'
  | 'late'
  | 'incomplete'
  | 'tampered'
  | 'malformed'

export interface Hazard {
  readonly kind: HazardKind
  /** Whether the effect is in the world all the same; of no meaning for those that answer. */
  readonly applied: boolean
  /** When the answer comes, counted from the call. */
  readonly latencyMs: number
  /** Of `late`: when the effect lands, counted from the call; never after the settling time. */
  readonly landsMs: number
}

/** All goes well, at once. */
export const NO_HAZARD: Hazard = { kind: 'none', applied: true, latencyMs: 0, landsMs: 0 }

/**
 * What goes wrong with a look: `preview` may fail, a look-up may fail, say that it does not know, find the effect and not know what
 * it answered (`vague`), or find it twice because somebody else did it too (`doubled`); `verify` may say no.
 */
export type LookHazard = 'none' | 'failed' | 'thrown' | 'unknown' | 'vague' | 'doubled' | 'silent'
