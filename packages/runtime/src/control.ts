import {
  type Clock,
  type ControlEvent,
  type ControlState,
  EMPTY_CONTROL,
  type Entry,
  foldControl,
  type Journal,
} from '@tidegate/kernel'

/** What holds for all runs at once, and the way to change it. */
export interface Control {
  /** As of the last record that was answered. */
  readonly state: ControlState
  /** Appends to the control stream; a record that stops or lifts raises the epoch in the same transaction (I7). */
  append(events: readonly ControlEvent[], options: { readonly raisesEpoch: boolean }): Promise<ControlState>
  /**
   * Calls back with every record from now on, in the same turn in which {@link state} changes: nobody can see the new epoch without
   * what the record brought about. A listener must not throw.
   */
  follow(listener: (entry: Entry) => void): void
}

/** Reads the control stream and keeps its fold current. One process has one. */
export async function openControl(journal: Journal, clock: Clock): Promise<Control> {
  let state = (await journal.read('control')).reduce(foldControl, EMPTY_CONTROL)
  let last: Promise<unknown> = Promise.resolve()
  const listeners: ((entry: Entry) => void)[] = []

  async function appendNow(events: readonly ControlEvent[], raisesEpoch: boolean): Promise<ControlState> {
    const result = await journal.append({ stream: 'control', expectedSeq: state.seq, events, atMs: clock.nowMs(), raisesEpoch })
    if (result.kind !== 'committed') throw new Error(`The control stream has another writer (${result.kind}).`)
    state = foldControl(state, result.entry)
    for (const listener of listeners) listener(result.entry)
    return state
  }

  return {
    get state() {
      return state
    },
    append(events, { raisesEpoch }) {
      const next = last.then(() => appendNow(events, raisesEpoch))
      last = next.catch(() => undefined) // the caller has the rejection; the next append must not inherit it
      return next
    },
    follow: (listener) => void listeners.push(listener),
  }
}
