/** An effect that has been handed to its connector and has not come back. */
export interface FlyingEffect {
  readonly run: string
  readonly operation: string
  readonly sinceMs: number
  readonly agent: string
  readonly workflow: string
  readonly tool: string
}

/** The effects that this process is waiting for right now. */
export interface InFlight {
  add(effectId: string, effect: FlyingEffect): void
  remove(effectId: string): void
  list(): readonly FlyingEffect[]
}

export function createInFlight(): InFlight {
  const effects = new Map<string, FlyingEffect>()
  return {
    add: (id, effect) => void effects.set(id, effect),
    remove: (id) => void effects.delete(id),
    list: () => [...effects.values()],
  }
}
