import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import type { WireRunDetail, WireRunHead } from '@tidegate/protocol'
import { verifyExport } from '@tidegate/verify'
import { type Chance, createChance } from './chance.ts'
import { type Comparison, compareWithDesk } from './compare.ts'
import { createLoad, type Load } from './load.ts'
import type { ServerProcess } from './server-process.ts'
import { setStage, type Stage } from './stage.ts'

/** What is left after so many kills. From `lost` to `unverified` everything has to be zero; `queued` waits for people. */
export interface KillReport {
  readonly rounds: number
  readonly kills: number
  readonly runs: number
  readonly effects: number
  readonly lost: number
  readonly doubled: number
  readonly unrecorded: number
  readonly misstated: number
  readonly ambiguousOpen: number
  /** Events with no run, or with more than one. */
  readonly eventsAstray: number
  /** Runs that neither rest nor wait for a person. */
  readonly unsettled: number
  /** Entries of the ledger when its export did not verify; 0 when it did. */
  readonly unverified: number
  readonly queued: number
  /** From the start of the process to its first answer. */
  readonly recoveryMsP50: number
  readonly problems: readonly string[]
}

export interface KillOptions {
  readonly rounds: number
  readonly seed: number
  readonly say: (line: string) => void
}

const CUSTOMERS = 400
const QUIESCE_MS = 180_000
const STARTUP_MS = 1_500

interface Siege {
  readonly stage: Stage
  readonly load: Load
  readonly chance: Chance
  readonly say: (line: string) => void
  readonly recoveries: number[]
  kills: number
}

/**
 * Kills the server again and again under load, at any moment, and sometimes the desk as well; then lets it come to rest, and holds
 * the desk's own database against the ledger.
 */
export async function killRounds({ rounds, seed, say }: KillOptions): Promise<KillReport> {
  const chance = createChance(seed)
  const stage = await setStage({ customers: CUSTOMERS })
  try {
    const siege: Siege = {
      stage,
      chance,
      say,
      load: createLoad(stage, chance, { customers: CUSTOMERS }),
      recoveries: [],
      kills: 0,
    }
    for (let round = 1; round <= rounds; round++) await killOnce(siege, round)
    const server = await startAgain(siege)
    await quiesce(siege)
    const report = await takeStock(siege, rounds)
    await server.stop()
    return report
  } finally {
    await stage.close()
  }
}

async function killOnce(siege: Siege, round: number): Promise<void> {
  const { stage, chance, say } = siege
  if (round > 1 && chance.happens(0.15)) {
    const server = stage.launch()
    await pause(chance.between(1, STARTUP_MS))
    await kill(siege, server)
    say(`round ${round}: killed while it started`)
    return
  }
  const server = await startAgain(siege)
  const clients = { operator: stage.client('operator'), mei: stage.client('mei') }
  const working = work(siege, server, clients)
  const moment = await untilMoment(siege, clients.operator)
  await kill(siege, server)
  await working
  if (chance.happens(0.15)) await stage.restartDesk('SIGKILL')
  say(`round ${round}: killed ${moment}; ${siege.load.events.length} events so far`)
}

async function startAgain({ stage, recoveries }: Siege): Promise<ServerProcess> {
  const startedAtMs = performance.now()
  const server = await stage.start()
  await stage.client('operator').ledgerHead()
  recoveries.push(performance.now() - startedAtMs)
  return server
}

async function kill(siege: Siege, server: ServerProcess): Promise<void> {
  const { signal, code, stderr } = await server.stop('SIGKILL')
  if (signal !== 'SIGKILL') throw new Error(`The server ended by itself with code ${code}: ${stderr}`)
  siege.kills += 1
}

/** Works until the server is gone. */
async function work(
  { load, chance }: Siege,
  server: ServerProcess,
  { operator, mei }: { operator: Client; mei: Client },
): Promise<void> {
  const approving = async (): Promise<void> => {
    while (server.isRunning()) {
      await load.answerApprovals(mei, { refusals: 0.15 })
      await pause(50)
    }
  }
  const undoing = async (): Promise<void> => {
    while (server.isRunning()) {
      await pause(chance.between(300, 900))
      await load.undoSome(operator)
    }
  }
  await Promise.all([load.push(operator, chance.between(12, 32)), approving(), undoing()])
}

/** Waits for the moment to strike: any, or while something is being undone, or while people are being asked. */
async function untilMoment({ chance }: Siege, client: Client): Promise<string> {
  const deadline = Date.now() + chance.between(50, 2_200)
  const state = chance.pick(['any', 'any', 'undoing', 'waiting'] as const)
  while (Date.now() < deadline) {
    if (state !== 'any' && (await client.runs({ state: [state], limit: 1 })).length > 0) {
      await pause(chance.between(0, 120))
      return `while a run was ${state}`
    }
    await pause(10)
  }
  return 'at a random moment'
}

/** Lets everything come to an end: no more faults, every event delivered, every question answered. */
async function quiesce({ stage, load, say }: Siege): Promise<void> {
  await stage.desk.call('DELETE', '/faults')
  const operator = stage.client('operator')
  const mei = stage.client('mei')
  await load.redeliver(operator)
  const deadline = Date.now() + QUIESCE_MS
  for (let calm = 0; calm < 3 && Date.now() < deadline; ) {
    const asked = await load.answerApprovals(mei, { refusals: 0 })
    const going = await operator.runs({ state: ['running', 'undoing', 'waiting'], limit: 500 })
    calm = asked === 0 && going.length === 0 ? calm + 1 : 0
    if (calm === 0) say(`waiting for ${going.length} runs`)
    await pause(250)
  }
}

async function takeStock({ stage, load, recoveries, kills, say }: Siege, rounds: number): Promise<KillReport> {
  const operator = stage.client('operator')
  const heads = await allRuns(operator)
  const runs: WireRunDetail[] = []
  for (const { run } of heads) runs.push(await operator.run(run))
  say(`what became of them: ${mixOf(runs)}`)
  const compared = compareWithDesk(stage.deskFile, runs, await operator.queue(true))
  const astray = astrayEvents(load, runs)
  const unsettled = heads
    .filter(({ state }) => state === 'running' || state === 'undoing')
    .map(({ run, state, summary }) => `${run} is ${state}: ${summary}`)
  const unverified = await verifyLedger(stage, operator)
  return {
    rounds,
    kills,
    runs: runs.length,
    effects: compared.effects,
    lost: compared.lost.length,
    doubled: compared.doubled.length,
    unrecorded: compared.unrecorded.length,
    misstated: compared.misstated.length,
    ambiguousOpen: compared.ambiguousOpen.length,
    eventsAstray: astray.length,
    unsettled: unsettled.length,
    unverified: unverified.length,
    queued: compared.queued,
    recoveryMsP50: Math.round(recoveries.toSorted((a, b) => a - b)[Math.floor(recoveries.length / 2)] ?? 0),
    problems: [...problemsOf(compared), ...astray, ...unsettled, ...unverified],
  }
}

function problemsOf({ lost, doubled, unrecorded, misstated, ambiguousOpen }: Comparison): readonly string[] {
  const groups = { lost, doubled, unrecorded, misstated, ambiguousOpen }
  return Object.entries(groups).flatMap(([name, ids]) => ids.map((id) => `${name}: ${id}`))
}

/** How the runs ended, how often people were asked, and how many effects were looked for: a load without these proves little. */
function mixOf(runs: readonly WireRunDetail[]): string {
  const actions = runs.flatMap((run) => run.actions)
  const states = [...Map.groupBy(runs, ({ state, failure }) => (failure === null ? state : `${state} (${failure})`))]
  const looked = actions.filter(({ found, effect }) => effect && found !== null).length
  const asked = runs.flatMap(({ approvals }) => approvals).length
  const counts = states.map(([name, of]) => `${of.length} ${name}`)
  return [
    ...counts,
    `${asked} questions`,
    `${looked} effects looked for`,
    `${actions.filter(({ purpose }) => purpose === 'compensate').length} compensations`,
  ].join(', ')
}

async function allRuns(client: Client): Promise<readonly WireRunHead[]> {
  const all: WireRunHead[] = []
  for (;;) {
    const before = all.at(-1)?.run
    const page = await client.runs({ limit: 500, ...(before === undefined ? {} : { before }) })
    all.push(...page)
    if (page.length < 500) return all
  }
}

/** Every event has exactly one run, and every answer named it. */
function astrayEvents({ events }: Load, runs: readonly WireRunDetail[]): readonly string[] {
  const opened = Map.groupBy(
    runs.filter(({ trigger }) => trigger.source === 'desk'),
    ({ trigger }) => trigger.event,
  )
  return events.flatMap(({ id, runs: named }) => {
    const found = opened.get(id) ?? []
    const [only] = found
    return found.length === 1 && only !== undefined && named.size === 1 && named.has(only.run)
      ? []
      : [`event ${id} has ${found.length} runs, and answers named ${[...named].join(', ')}`]
  })
}

async function verifyLedger(stage: Stage, client: Client): Promise<readonly string[]> {
  const own = await client.ledgerVerify()
  const directory = join(stage.directory, 'export')
  await client.ledgerExport({ directory, payloads: true })
  const verdict = verifyExport(directory, { canonical: true })
  return [...own.problems, ...(verdict.kind === 'verified' ? [] : [`the export is refused: ${JSON.stringify(verdict)}`])]
}
