import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import type { WireRunDetail } from '@tidegate/protocol'
import { isUnderWay } from '../command/run.ts'
import { CliError } from '../error.ts'
import { countAfterStop } from './count-after-stop.ts'
import type { DemoReport, DemoRun, DemoStop } from './report.ts'
import type { DemoTicket, Stage } from './stage.ts'

const WORKFLOW = 'support-billing'
const SOURCE = 'support-desk'
const SETTLE_MS = 60_000
/** How long it is watched that nothing starts. */
const WATCH_MS = 500
/** Tickets that are easily answered: what is in flight when the stop comes. */
const FOLLOW_UPS = 8

/** Says what is going on. */
type Say = (text: string) => void

/** Plays the demonstration: tickets, a duplicate, an approval (with `approve`), an undo, a stop, a lift, a proof. */
export async function play(
  stage: Stage,
  options: { readonly approve: boolean; readonly fresh: boolean; readonly say: Say },
): Promise<DemoReport> {
  const { operator } = stage
  const { say } = options
  // What an earlier demonstration delivered is known already: then the same tickets come as new events.
  const suffix = options.fresh ? '' : `-${Date.now()}`
  say(`Delivering ${stage.tickets.length} tickets, one of them twice ...`)
  const delivered = await deliver(operator, stage.tickets, suffix)
  const duplicates = await deliverAgain(stage, delivered, suffix)
  await allSettled(operator, [...delivered.values()])
  if (options.approve) await approveOne(stage, options)
  const undone = await undoOne(stage, delivered, say)
  const stop = await stopInFlight(stage, suffix, say)
  say('Recomputing the ledger ...')
  const { verified } = await operator.ledgerVerify()
  const { size, root, checkpoint } = await operator.ledgerHead()
  const details = await detailsOf(operator)
  return {
    runs: details.map(demoRun),
    blocked: details.flatMap(blockedIn),
    undone,
    stop,
    ledger: { size, root, checkpoint, verified },
    duplicates,
  }
}

/** Delivers the event of every ticket; answers the run of each. `again` makes other events of the same tickets. */
async function deliver(client: Client, tickets: readonly DemoTicket[], again: string): Promise<ReadonlyMap<string, string>> {
  const answers = tickets.map(async ({ id, event }): Promise<readonly [string, string]> => {
    const answer = await client.trigger({
      workflow: WORKFLOW,
      source: SOURCE,
      event: `${event}${again}`,
      input: { ticketId: id },
    })
    return [id, answer.run]
  })
  return new Map(await Promise.all(answers))
}

async function deliverAgain(
  { operator, tickets }: Stage,
  delivered: ReadonlyMap<string, string>,
  suffix: string,
): Promise<DemoReport['duplicates']> {
  const [ticket] = tickets
  if (ticket === undefined) return []
  const event = `${ticket.event}${suffix}`
  const answer = await operator.trigger({ workflow: WORKFLOW, source: SOURCE, event, input: { ticketId: ticket.id } })
  if (answer.kind !== 'duplicate' || answer.run !== delivered.get(ticket.id)) {
    throw new CliError('demo_failed', `The event ${event} was delivered twice and opened two runs.`)
  }
  return [{ event, run: answer.run }]
}

/** Waits until every run rests, waits for people, or is held. */
async function allSettled(client: Client, runs: readonly string[]): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  for (const run of runs) {
    for (;;) {
      const left = deadline - performance.now()
      const head = await client.settled(run, Math.max(0, Math.min(left, 10_000)))
      if (!isUnderWay(head)) break
      if (left <= 0) throw new CliError('wait_timeout', `Run ${run} is still under way after ${SETTLE_MS / 1_000} s.`)
      await pause(50)
    }
  }
}

async function approveOne(
  { lead, operator }: Stage,
  { fresh, say }: { readonly fresh: boolean; readonly say: Say },
): Promise<void> {
  const open = await lead.approvals('open')
  const approval = open.find(({ operation }) => operation.includes('refund')) ?? open[0]
  // On state that was kept, the refund may have been decided before.
  if (approval === undefined && !fresh) return
  if (approval === undefined) throw new CliError('demo_failed', 'No approval waits, although a large refund was asked for.')
  say(`user:mei approves ${approval.operation} ...`)
  const { run } = await lead.vote(approval.id, {
    vote: 'approve',
    why: 'Looked at both invoices: charged twice.',
    digest: approval.digest,
  })
  await allSettled(operator, [run])
}

/** Undoes the first finished run that changed something; preferably one whose change people understand at once. */
async function undoOne({ operator }: Stage, delivered: ReadonlyMap<string, string>, say: Say): Promise<DemoReport['undone']> {
  const ours = new Set(delivered.values())
  const heads = (await operator.runs({ limit: 500 })).filter(
    ({ run, state, effects }) => ours.has(run) && state === 'completed' && effects > 0,
  )
  const preferred = ['t-1002', 't-1011', 't-1004'].map((ticket) => delivered.get(ticket))
  const chosen = heads.find(({ run }) => preferred.includes(run)) ?? heads[0]
  if (chosen === undefined) throw new CliError('demo_failed', 'No run was completed, so that there is nothing to undo.')
  say(`Undoing run ${chosen.run} ...`)
  const opened = await operator.undo(chosen.run, 'Demonstration: taken back.')
  await allSettled(operator, [opened.run])
  const undo = await operator.run(opened.run)
  return [{ run: chosen.run, by: opened.run, state: undo.state, effects: opened.effects }]
}

/** Raises a stop over everything while runs are in flight, watches that nothing starts, and lifts it. */
async function stopInFlight(stage: Stage, suffix: string, say: Say): Promise<DemoStop> {
  const { operator, tickets } = stage
  say('Delivering more, and stopping everything in the middle ...')
  const easy = tickets.filter(({ about }) => /ordinary|small/i.test(about)).slice(0, FOLLOW_UPS)
  const runs = [...(await deliver(operator, easy.length > 0 ? easy : tickets, `${suffix}-follow-up`)).values()]
  const sentMs = performance.now()
  const report = await operator.stop({ scope: 'global', mode: 'hold', why: 'Demonstration: everything stops.' })
  const roundTripMs = Math.round((performance.now() - sentMs) * 100) / 100
  const acknowledgedAtMs = Date.now()
  const inFlight = await underWay(operator, runs)
  await pause(WATCH_MS)
  const seen = { details: await detailsOf(operator), calls: await stage.desk.calls() }
  const measured = countAfterStop(seen, { report, acknowledgedAtMs })
  say(`Stopped in ${report.acknowledgedMs.toFixed(1)} ms with ${inFlight.length} runs in flight; lifting it ...`)
  await operator.lift({ stop: report.stop.id, why: 'Demonstration: over.' })
  await allSettled(operator, runs)
  const still = await underWay(operator, inFlight)
  return {
    acknowledgedMs: report.acknowledgedMs,
    roundTripMs,
    runsInFlight: inFlight.length,
    running: report.running.length,
    effectsAfter: Math.max(measured.records, measured.desk),
    measured: { ...measured, watchedMs: WATCH_MS },
    resumed: inFlight.length - still.length,
  }
}

async function underWay(client: Client, runs: readonly string[]): Promise<readonly string[]> {
  const heads = await Promise.all(runs.map((run) => client.settled(run, 0)))
  return heads.filter(isUnderWay).map(({ run }) => run)
}

async function detailsOf(client: Client): Promise<readonly WireRunDetail[]> {
  const heads = await client.runs({ limit: 500 })
  return Promise.all(heads.toReversed().map(({ run }) => client.run(run)))
}

function demoRun(detail: WireRunDetail): DemoRun {
  const { run, workflow, state, failure, reason, input, actions, approvals, story } = detail
  const effects = actions.filter(({ effect, startedAtMs }) => effect && startedAtMs > 0)
  return {
    id: run,
    workflow,
    state,
    failure,
    effects: effects.map(({ n, operation, purpose, state: became, approval }) => ({
      action: n,
      operation,
      purpose,
      state: became,
      approval,
    })),
    approvals: approvals.map(({ id, state: became }) => ({ id, state: became })),
    ticket: typeof input.ticketId === 'string' ? input.ticketId : null,
    headline: story.headline,
    reason,
  }
}

function blockedIn({ run, actions }: WireRunDetail): DemoReport['blocked'] {
  return actions
    .filter(({ outcome }) => outcome === 'deny')
    .map(({ operation, outcome, policies }) => ({
      run,
      operation,
      outcome: outcome ?? 'deny',
      policies: policies.map(({ id }) => id),
    }))
}
