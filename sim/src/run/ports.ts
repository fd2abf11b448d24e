import type { Connector, Draft, Entry, Journal, RunEvent } from '@tidegate/kernel'
import { createMemoryJournal, createWorld, NO_HAZARD } from '@tidegate/testkit'
import { drawHazard, drawLookHazard } from './hazards.ts'
import { crash, type Life, never, passPoint, type Simulation, tell } from './simulation.ts'
import { noteCall } from './witness.ts'

/** More appends than any scenario needs: whoever reaches this runs in a circle. */
const MAX_APPENDS = 6_000

async function delay(sim: Simulation): Promise<void> {
  const { delayMs } = sim.scenario.weather
  if (delayMs === 0 || sim.isQuiet) return
  const ms = sim.chances.time.oneIn(3) ? sim.chances.time.below(delayMs) : 0
  if (ms > 0) await new Promise<void>((resolve) => sim.agenda.after(ms, resolve))
}

/** The journal of one life: delayed, failing in pairs, and dead when its life is. Every durable write is a crash point. */
export function journalOf(sim: Simulation, life: Life): Journal {
  const { disk, witness, chances, scenario } = sim
  const fault = (): 'none' | 'lost' | 'kept' => {
    if (!life.isAlive) return 'lost'
    if (sim.isQuiet || scenario.weather.store === 0 || !chances.store.oneIn(scenario.weather.store)) return 'none'
    sim.faults += 1
    life.isTorn = true
    const kind = chances.store.oneIn(2) ? 'lost' : 'kept'
    tell(sim, `store fails: ${kind}`)
    // The writer refuses everything from now on; whoever watches the process starts it again after a while.
    sim.agenda.after(500 + chances.store.below(6_000), () => sim.life === life && crash(sim, 'to open the store again'))
    return kind
  }
  const memory = createMemoryJournal(disk, { fault })
  const inner = sim.tamper.journal?.(memory, disk) ?? memory
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!life.isAlive) return never()
    const result = await call().catch((error: unknown) => {
      if (life.isAlive) throw error
      return never<T>()
    })
    return life.isAlive ? result : never()
  }

  async function append(draft: Draft) {
    sim.appends += 1
    if (sim.appends > MAX_APPENDS) {
      if (sim.appends === MAX_APPENDS + 1)
        witness.violations.push({
          invariant: 'liveness',
          message: `more than ${MAX_APPENDS} appends: the system runs in a circle on ${draft.stream}`,
        })
      return never<never>()
    }
    life.appending += 1
    await delay(sim)
    const result = await guarded(() => inner.append(draft).finally(() => noteFence(sim, draft)))
    if (result.kind !== 'committed') {
      life.appending -= 1
      return result
    }
    const { entry } = result
    tell(sim, `#${entry.index} ${entry.stream} ${entry.events.map(describe).join(', ')}`)
    if (passPoint(sim, life, `after entry ${entry.index}`)) return never<never>()
    await delay(sim)
    if (!life.isAlive) return never<never>()
    witness.acks.push({ index: entry.index, text: JSON.stringify(entry) })
    life.appending -= 1
    return result
  }

  return {
    append,
    read: (stream, afterSeq) => guarded(() => inner.read(stream, afterSeq)),
    head: () => inner.head(),
    runs: (query) => guarded(() => inner.runs(query)),
    openRuns: () => guarded(() => inner.openRuns()),
    claimed: (prefix, limit) => guarded(() => inner.claimed(prefix, limit)),
    erase: (stream) => guarded(() => inner.erase(stream)),
    close: () => inner.close(),
  }
}

/** What the writer of a record believed, whether it ever hears that the record is there or not. */
function noteFence({ disk, witness }: Simulation, { stream, expectedSeq, fence }: Draft): void {
  const kept = disk.entries.findLast((entry) => entry.stream === stream && entry.seq === expectedSeq + 1)
  if (kept !== undefined && fence !== undefined && !witness.fences.has(kept.index)) witness.fences.set(kept.index, fence)
}

/** An event in a few words, for the trace. */
function describe(event: Entry['events'][number]): string {
  const e = event as Partial<Record<string, unknown>> & RunEvent
  const about = [
    'action',
    'attempt',
    'operation',
    'purpose',
    'outcome',
    'approval',
    'state',
    'result',
    'found',
    'failure',
    'kind',
    'scope',
    'mode',
    'voter',
    'vote',
    'plan',
    'holds',
    'ok',
  ]
  const facts = about.flatMap((key) => (e[key] === undefined || e[key] === null ? [] : [`${key}=${String(e[key])}`]))
  const limits =
    e.type === 'action.decided' ? e.policies?.filter(({ id }) => id.startsWith('limit.')).map(({ id }) => id) : undefined
  const planned = e.type === 'effect.started' && e.approval?.includes(`.a${e.action}.`) === false ? ['under-plan'] : []
  return [e.type, ...facts, ...(limits ?? []), ...planned].join(' ')
}

/** The world as one life reaches it. Before and after every effect is a crash point. */
export function connectorOf(sim: Simulation, life: Life): Connector {
  const { witness, agenda, scenario, chances } = sim
  const world = createWorld({
    farSide: sim.farSide,
    nowMs: agenda.nowMs,
    after: agenda.after,
    hazard(call) {
      const hazard = sim.isQuiet ? NO_HAZARD : drawHazard(chances.hazard, scenario.weather, call)
      if (hazard.kind !== 'none') sim.faults += 1
      tell(
        sim,
        `world: ${call.operation} ${call.effectId} attempt ${call.attempt} (${hazard.kind}${hazard.applied ? '' : ', not applied'})`,
      )
      return hazard
    },
    lookHazard(call, look) {
      const hazard = sim.isQuiet ? 'none' : drawLookHazard(chances.hazard, scenario.weather)
      if (hazard !== 'none') sim.faults += 1
      tell(sim, `world: ${look} ${call.operation} ${call.effectId} (${hazard})`)
      return hazard
    },
    lookMs: () => (scenario.weather.delayMs === 0 || sim.isQuiet ? 0 : chances.hazard.below(scenario.weather.delayMs)),
    watch: {
      called: (call) => noteCall(witness, call, sim.disk.entries.length),
      landed({ effectId, operation }) {
        tell(sim, `world: ${operation} ${effectId} lands`)
        witness.landings.push({ order: witness.order++, effectId, operation })
      },
      looked: ({ effectId }, look, truth) =>
        void witness.looks.push({ order: witness.order++, look, effectId, durable: sim.disk.entries.length, truth }),
      alive: (at) => (at === 'answer' ? life.isAlive : !passPoint(sim, life, at)),
    },
  })
  return sim.tamper.connector?.(world) ?? world
}
