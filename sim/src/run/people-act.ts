import { parseStopScope } from '@tidegate/kernel'
import type { ApprovalView, Tidegate } from '@tidegate/runtime'
import type { Chance } from '@tidegate/testkit'
import type { Happening, TriggerPlan } from '../plan/scenario.ts'
import { PEOPLE } from '../plan/people.ts'
import { crash, type Life, type Simulation, tell } from './simulation.ts'

/** Asks the living Tidegate something. Nobody hears the answer of a dead one; a failing store is part of life. */
function ask<T>(
  sim: Simulation,
  what: string,
  call: (tidegate: Tidegate) => Promise<T>,
  then: (answer: T) => void = () => undefined,
): void {
  const { life } = sim
  if (life?.tidegate === undefined) return
  const heard = (answer: T): void => {
    if (!life.isAlive) return
    const { kind, code } = answer as { kind?: string; code?: string }
    if (kind !== undefined) tell(sim, `${what}: ${kind} ${code ?? ''}`)
    then(answer)
  }
  call(life.tidegate)
    .then(heard)
    .catch((error: unknown) => reject(sim, life, what, error))
}

function reject(sim: Simulation, life: Life, what: string, error: unknown): void {
  if (!life.isAlive) return
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  tell(sim, `${what}: throws ${code} ${String(error)}`)
  if (!code.startsWith('journal_'))
    sim.witness.violations.push({ invariant: 'defect', message: `${what} threw ${String(error)}` })
}

/** Delivers an event until somebody acknowledges it, as every source does that means it. */
export function deliver(sim: Simulation, trigger: TriggerPlan): void {
  const key = `${trigger.source}/${trigger.event}`
  const runs = sim.witness.triggered.get(key) ?? new Set<string>()
  sim.witness.triggered.set(key, runs)
  let isHeard = false
  const { workflow, source, event, input } = trigger
  ask(
    sim,
    `deliver ${key}`,
    (t) => t.trigger({ workflow, source, event, input, user: PEOPLE.ann.id, client: 'client:mail' }),
    (answer) => {
      isHeard = true
      if (answer.kind === 'refused')
        sim.witness.violations.push({ invariant: 'liveness', message: `event ${key} was refused: ${answer.message}` })
      else runs.add(answer.run)
    },
  )
  const again = (): void => {
    if (!isHeard) deliver(sim, trigger)
  }
  sim.agenda.after(4_000 + sim.chances.people.below(3_000), again)
}

/** Somebody looks at the open questions and votes: rightly, wrongly, twice, at once, with the wrong digest, or in the last moment. */
export function voteSomewhere(sim: Simulation): void {
  const chance = sim.chances.people.fork()
  ask(
    sim,
    'look at approvals',
    (t) => t.approvals({ state: chance.oneIn(5) ? 'all' : 'open' }),
    (views) => {
      checkList(
        sim,
        views.map((view) => view.approval.question.id),
      )
      const view = views.length === 0 ? undefined : chance.pick(views)
      if (view === undefined) return
      const { id, deadlineMs } = view.approval.question
      const { isWary } = sim.scenario.declassifying
      if (isWary && chance.oneIn(2)) return endorseSomething(sim, chance, view)
      const digest = view.plan !== null && !chance.oneIn(3) ? view.plan.digest : view.approval.question.digest
      const cast = (): void => {
        const group = Array.from({ length: 1 + chance.below(3) }, () =>
          chance.pick([PEOPLE.mei, PEOPLE.bob, PEOPLE.bob, PEOPLE.mei, PEOPLE.zoe, PEOPLE.eve, PEOPLE.ann]),
        )
        for (const person of group) {
          const vote = chance.oneIn(14) ? 'refuse' : 'approve'
          const seen = chance.oneIn(12) ? digest.replace(/^./, (c) => (c === '0' ? '1' : '0')) : digest
          ask(
            sim,
            `vote of ${person.id} on ${id}`,
            (t) => t.vote(id, { person, vote, why: 'because', digest: seen }),
            ({ kind }) => {
              if (kind === 'counted' && seen !== digest)
                sim.witness.violations.push({ invariant: 'I2', message: `a vote for another action was counted on ${id}` })
            },
          )
        }
      }
      if (!chance.oneIn(4)) return cast()
      sim.agenda.after(deadlineMs - sim.agenda.clock.nowMs() + chance.below(3) - 1, cast)
    },
  )
}

/** Some people endorse what stands in the question: rightly, for another value, a text, by somebody who may not, or having seen something else. */
function endorseSomething(sim: Simulation, chance: Chance, { approval }: ApprovalView): void {
  const { id, digest, run } = approval.question
  const value = chance.pick([{ pointer: '/id' }, { pointer: '/id' }, { pointer: '/id', value: 'rec-9' }, { pointer: '/text' }])
  const group = Array.from({ length: 1 + chance.below(3) }, () =>
    chance.pick([PEOPLE.zoe, PEOPLE.bob, PEOPLE.mei, PEOPLE.eve, PEOPLE.ann]),
  )
  for (const person of group) {
    const seen = chance.oneIn(12) ? '0'.repeat(64) : digest
    const request = { person, why: 'because', approval: id, digest: seen, values: [value] }
    ask(sim, `${person.id} endorses ${value.pointer} under ${id}`, (t) => t.endorse(run, request))
  }
}

/** Whoever may vote must find the question: what was open in the records for a while is in the list. */
function checkList(sim: Simulation, listed: readonly string[]): void {
  const open = new Set<string>()
  for (const event of sim.disk.entries.flatMap((entry) => entry.events)) {
    if (event.type === 'approval.opened') open.add(event.question.id)
    if (event.type === 'approval.closed') open.delete(event.approval)
  }
  for (const id of sim.witness.open)
    if (open.has(id) && !listed.includes(id))
      sim.witness.violations.push({ invariant: 'lists', message: `the open question ${id} is not in the list` })
  sim.witness.open = open
}

/** Starts what a happening says. */
export function happen(sim: Simulation, happening: Happening): void {
  const chance = sim.chances.people.fork()
  const anyRun = (): string => chance.pick([...sim.disk.heads.keys(), 'none'])
  switch (happening.kind) {
    case 'vote':
      voteSomewhere(sim)
      break
    case 'stop':
      raise(sim, happening.scope === 'run' ? `run:${anyRun()}` : happening.scope, happening.mode)
      break
    case 'lift':
      lift(sim, 1)
      break
    case 'undo':
      undo(sim, anyRun())
      break
    case 'resolve':
      resolve(sim)
      break
    case 'meddle':
      tell(sim, 'somebody changes the records')
      for (const { input } of sim.scenario.triggers) sim.farSide.meddle(input.id)
      break
    case 'deploy':
      if (chance.oneIn(3)) sim.schema += 1
      else sim.policy += 1
      crash(sim, 'to deploy something else')
      break
    case 'restart':
      crash(sim, 'by an operator')
      break
    case 'jump':
      tell(sim, `the wall clock jumps by ${happening.byMs} ms`)
      sim.agenda.clock.jump(happening.byMs)
      break
  }
}

/** Two operators at once, and somebody who may not. */
function undo(sim: Simulation, run: string): void {
  for (const person of [PEOPLE.ops, PEOPLE.ops, PEOPLE.eve]) {
    ask(sim, `undo ${run}`, (t) => t.undo(run, { person, why: 'wrong' }))
  }
}

function resolve(sim: Simulation): void {
  const chance = sim.chances.people.fork()
  const look = (t: Tidegate) => t.queue({ all: false })
  ask(sim, 'look at the queue', look, (items) => {
    if (items.length === 0) return
    const { item } = chance.pick(items)
    for (const person of [PEOPLE.eve, PEOPLE.ops, PEOPLE.ops]) {
      ask(sim, `resolve ${item}`, (t) => t.resolve(item, { person, why: 'seen to' }))
    }
  })
}

function raise(sim: Simulation, text: string, mode: 'hold' | 'kill'): void {
  const { witness } = sim
  const scope = parseStopScope(text)
  if (scope === undefined) throw new RangeError(`The scenario has no such scope: ${text}`)
  const stop = (t: Tidegate) => t.stop({ person: PEOPLE.ops, scope, mode, why: 'to be safe' })
  ask(sim, `stop ${scope} ${mode}`, stop, (answer) => {
    if (answer.kind !== 'stopped') return
    witness.stops.set(answer.stop.id, { scope, ackedOrder: witness.order++, liftedOrder: Number.POSITIVE_INFINITY })
  })
}

/** Lifts up to so many stops, oldest first. From the moment somebody asks, the stop is no longer relied upon. */
export function lift(sim: Simulation, count: number): void {
  for (const stop of (sim.life?.tidegate?.stops() ?? []).slice(0, count)) {
    const seen = sim.witness.stops.get(stop.id)
    if (seen !== undefined && seen.liftedOrder === Number.POSITIVE_INFINITY) seen.liftedOrder = sim.witness.order++
    ask(sim, `lift ${stop.id}`, (t) => t.lift({ person: PEOPLE.ops, stop: stop.id, why: 'it is safe' }))
  }
}
