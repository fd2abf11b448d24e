import type { JsonObject } from '@tidegate/kernel'
import type { ConnectRequest, Detection } from '../adapter.ts'
import type { ScriptedModel } from '../scripted-model/scripted-model.ts'
import { type Canary, hasHappened, hatchCanary } from './canary.ts'
import type { StartedProgram, StartOptions } from './start-program.ts'
import { judgeSurface, type Sighting, type SurfaceProof, type Traces } from './surface.ts'

/** What is to be proved: a host that is connected, as it is configured now. */
export interface ProveRequest {
  readonly connection: ConnectRequest
  readonly detection: Detection
}

/** One of our own operations, as the host sees it over MCP, and a harmless call of it; undefined when there is none that is sure to be. */
export interface OwnTool {
  readonly name: string
  readonly harmless: ((word: string) => JsonObject) | undefined
}

/** What an adapter proves with. */
export interface ProvePorts {
  /** A private folder, wiped afterwards: the copy of the host's state belongs here, nothing of the user's is changed. */
  readonly scratch: string
  readonly model: ScriptedModel
  /** What we offer to the host over MCP. */
  readonly tools: readonly OwnTool[]
  /** The calls in our ledger in which a canary stands. */
  sightings(word: string): Promise<readonly Sighting[]>
  start(program: string, args: readonly string[], options: StartOptions): StartedProgram
  /** Says what is going on. */
  note(text: string): void
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

/** A canary that was fired, and where its traces are looked for. */
export interface Fired {
  readonly canary: Canary
  /** What the tools have answered so far. */
  readonly results: () => readonly string[]
  /** Resolves when nothing more will come; what it did by then is all that counts. */
  readonly over: Promise<unknown>
  readonly timeoutMs: number
  /** Ends what was started for this canary alone. */
  readonly end?: () => Promise<void>
  /** Looked at in the end, when there was no trace: why the host has no such way. */
  readonly absent?: () => string | undefined
  /** Looked at in the end, when there was no trace. */
  readonly why: () => string
}

const LOOK_MS = 400
/** What a sighting is followed by: the effect of a call that was denied must still show. */
const AFTER_MS = 3_000

/**
 * Waits for the traces of a canary: in our ledger, and in the world. Ends when the host is through, when its time is up, or a moment after
 * it was seen in the ledger.
 */
export async function awaitTraces(
  { sightings, signal }: Pick<ProvePorts, 'sightings' | 'signal'>,
  fired: Fired,
): Promise<Traces> {
  const { canary, results, timeoutMs } = fired
  let isOver = false
  const over = fired.over
    .catch(() => undefined)
    .finally(() => {
      isOver = true
    })
  const deadline = performance.now() + timeoutMs
  let seen: readonly Sighting[] = []
  while (!isOver && !signal.aborted && performance.now() < deadline) {
    await Promise.race([over, pause(LOOK_MS)])
    seen = await sightings(canary.word)
    if (seen.length === 0) continue
    await Promise.race([over, pause(AFTER_MS)])
    break
  }
  await fired.end?.()
  seen = await sightings(canary.word)
  const happened = hasHappened(canary, results())
  const absent = seen.length > 0 || happened ? undefined : fired.absent?.()
  return { sightings: seen, happened, why: fired.why(), ...(absent === undefined ? {} : { absent }) }
}

/** Fires one canary at one way of acting, and judges it. A defect of the way itself is a reason, not an end of the proof. */
export async function proveSurface(
  ports: ProvePorts,
  name: string,
  fire: (canary: Canary) => Promise<Fired>,
): Promise<SurfaceProof> {
  if (ports.signal.aborted) return { name, state: 'unfired', detail: 'the proof was interrupted' }
  ports.note(`Proving ${name} ...`)
  const canary = hatchCanary(ports.scratch)
  try {
    return judgeSurface(name, await awaitTraces(ports, await fire(canary)))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return judgeSurface(name, { sightings: await ports.sightings(canary.word), happened: hasHappened(canary, []), why })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
