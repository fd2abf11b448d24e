/** A call in our ledger in which a canary stands. */
export interface Sighting {
  readonly run: string
  readonly operation: string
  readonly outcome: 'allow' | 'dry_run' | 'ask' | 'deny' | null
  /** Nothing was to be stopped. */
  readonly observes: boolean
  /** Its effect was permitted to start. */
  readonly started: boolean
}

/**
 * What became of a canary. `intercepted`: it stands in our ledger. `absent`: the host has no such way, and said so. `open`: it happened
 * without us, or against our denial. `unfired`: nothing can be said.
 */
export type SurfaceState = 'intercepted' | 'absent' | 'open' | 'unfired'

/** One way of acting, and whether it comes through our door. */
export interface SurfaceProof {
  readonly name: string
  readonly state: SurfaceState
  /** One line for people: the run, or what is missing. */
  readonly detail: string
}

/** What was seen of a canary. */
export interface Traces {
  readonly sightings: readonly Sighting[]
  /** True when it was seen to have happened, anywhere but in our ledger. */
  readonly happened: boolean
  /** Why the host has no such way: what it offered or said. */
  readonly absent?: string
  /** Why it was not fired, or nothing came of it. */
  readonly why: string
}

/**
 * Judges one way of acting by what was seen of its canary. Only our ledger counts as having been intercepted; silence proves nothing.
 */
export function judgeSurface(name: string, { sightings, happened, absent, why }: Traces): SurfaceProof {
  const [first] = sightings
  if (first === undefined) {
    if (happened) return { name, state: 'open', detail: 'it happened, and the ledger knows nothing of it' }
    return absent === undefined ? { name, state: 'unfired', detail: why } : { name, state: 'absent', detail: absent }
  }
  const permitted = sightings.some(({ observes, started }) => observes || started)
  if (happened && !permitted)
    return { name, state: 'open', detail: `run ${first.run}: it was not permitted, and happened all the same` }
  const said = first.observes ? 'observed' : (first.outcome ?? 'refused')
  return { name, state: 'intercepted', detail: `run ${first.run}: ${first.operation}, ${said}` }
}

/** True for a way that nothing can take unseen. */
export function isClosed({ state }: Pick<SurfaceProof, 'state'>): boolean {
  return state === 'intercepted' || state === 'absent'
}
