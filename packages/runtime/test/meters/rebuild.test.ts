import { nodeHasher } from '@tidegate/crypto-node'
import {
  type Entry,
  type Journal,
  type Meter,
  type MeterDump,
  type RunEvent,
  type RunState,
  windowRule,
  openRun,
  foldEntry,
} from '@tidegate/kernel'
import { createDisk, createMemoryJournal, createVirtualClock, type Disk } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ambiguous,
  decided,
  done,
  failed,
  FINISHED,
  meter,
  op,
  opened,
  proposed,
  reconciled,
  retried,
  started,
} from '../../../kernel/test/limit/run-events.ts'
import { createCalendar, type Meters, openMeters, type SnapshotStore } from '../../src/meters/index.ts'
import { ledgerOf } from './memory-ledger.ts'

const MINUTE = 60_000
const METERS: readonly Meter[] = [
  meter('calls', { of: 'calls', per: 'global', window: { kind: 'sliding', ms: MINUTE } }),
  meter('effects', { window: { kind: 'sliding', ms: 10 * MINUTE } }),
  meter('money', { sum: '/n', per: '/id', operations: ['desk.set'], window: { kind: 'calendar', unit: 'hour' } }),
  meter('won', { of: 'successes', per: 'user', self: false, window: { kind: 'sliding', ms: 1_000 } }),
  meter('lost', { of: 'failures', per: 'tool' }),
  meter('no', { of: 'denials', per: 'operation', window: { kind: 'calendar', unit: 'day' } }),
  meter('spent', { of: 'tokens', per: 'workflow' }),
  meter('odd', { anomaly: { bucketMs: MINUTE, baselineMs: 30 * MINUTE, minimum: 1 } }),
]
const FOR_EVER: readonly Meter[] = [...METERS, meter('all', { per: '/id', window: { kind: 'ever' } })]

/** A process: meters on a journal in memory, as they are after a start. */
async function start(disk: Disk, meters: readonly Meter[], size?: number, snapshots?: SnapshotStore): Promise<Meters> {
  const journal = createMemoryJournal(disk)
  const clock = createVirtualClock(0)
  return openMeters({
    meters,
    journal: size === undefined ? journal : upTo(journal, size),
    ledger: ledgerOf(disk, size),
    clock,
    hasher: nodeHasher,
    salt: new Uint8Array(32),
    timeZone: 'UTC',
    ...(snapshots === undefined ? {} : { snapshots }),
    log: () => undefined,
  })
}

function upTo(journal: Journal, size: number): Journal {
  return { ...journal, read: async (stream, after) => (await journal.read(stream, after)).filter(({ index }) => index < size) }
}

function createBox(text?: string): SnapshotStore & { text: string | undefined } {
  const box = {
    text,
    load: async () => box.text,
    save: async (saved: string) => {
      box.text = saved
    },
  }
  return box
}

function dumpIn({ text }: { readonly text: string | undefined }): MeterDump {
  return (JSON.parse(text ?? '') as { dump: MeterDump }).dump
}

const calendar = createCalendar('UTC')

/** What of a dump still counts at its time: a process that has run for long keeps more than one that has just started. */
function countsOf(dump: MeterDump, meters: readonly Meter[]) {
  return meters.map((one, i) => {
    const first = windowRule(one, calendar).firstSlot(dump.atMs)
    const counts = (dump.cells[i] ?? []).flatMap(([key, slots, amounts]) =>
      slots.flatMap((slot, at) => (slot >= first && amounts[at] !== 0 ? [[key, slot, amounts[at]]] : [])),
    )
    return [one.name, counts.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))]
  })
}

/** Which events may come next for an action, by the last one. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  '': ['propose'],
  propose: ['deny', 'start'],
  deny: ['propose', 'finish'],
  start: ['done', 'safe', 'never', 'unsure'],
  done: ['propose', 'finish', 'call'],
  call: ['propose', 'finish'],
  safe: ['again'],
  again: ['done', 'never', 'unsure'],
  never: ['propose', 'finish'],
  unsure: ['happened', 'absent', 'doubled', 'repeatable', 'unknown'],
  repeatable: ['again'],
  happened: ['propose'],
  absent: ['propose'],
  doubled: ['finish'],
  unknown: ['finish'],
  finish: [],
}

interface Acting {
  readonly run: string
  state: RunState
  last: string
}

function eventsOf(word: string, { state }: Acting, meters: Meters, choice: number): readonly RunEvent[] {
  const n = state.actions.length - 1
  const attempt = state.actions[n]?.attempts ?? 1
  const args = { id: `c${choice % 3}`, n: choice }
  const operation = choice % 4 === 0 ? 'desk.read' : 'desk.set'
  const begin = (again: boolean): readonly RunEvent[] => {
    const proposal = state.actions[n]?.proposed
    const { metered } = meters.reserve({
      state,
      waiting: [],
      action: n,
      isNew: false,
      operation: op(proposal?.operation ?? ''),
      arguments: { ...(proposal?.sealed.arguments as object) },
    })
    return [decided(n, 'allow'), started(n, again ? attempt + 1 : 1, metered)]
  }
  switch (word) {
    case 'propose':
      return [proposed(n + 1, operation, args)]
    case 'deny':
      return [decided(n, 'deny')]
    case 'start':
      return begin(false)
    case 'again':
      return begin(true)
    case 'done':
      return [done(n, attempt)]
    case 'safe':
      return [failed(n, attempt, 'safe'), retried(n)]
    case 'never':
      return [failed(n, attempt, 'never')]
    case 'unsure':
      return [failed(n, attempt, 'unknown'), ambiguous(n, attempt)]
    case 'repeatable':
      return [reconciled(n, 'repeatable'), retried(n)]
    case 'call':
      return [CALLED]
    case 'finish':
      return [FINISHED]
    default:
      return [reconciled(n, word as 'happened')]
  }
}

const CALLED: RunEvent = {
  type: 'model.called',
  model: 'm',
  inputTokens: 3,
  outputTokens: 4,
  costMicros: 5,
  durationMs: 1,
  result: 'text',
  sealed: { request: null, reply: null },
}

type Step = { readonly run: number; readonly choice: number; readonly afterMs: number }
const steps = fc.array(
  fc.record({
    run: fc.nat(3),
    choice: fc.nat(1_000),
    afterMs: fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(5 * MINUTE), fc.nat(60 * MINUTE)),
  }),
  { minLength: 5, maxLength: 40 },
)

/** Plays steps on one process; after each record the process may be asked to die. */
async function play(meters: Meters, list: readonly Step[], after: (entry: Entry) => Promise<void>): Promise<void> {
  const acting = new Map<number, Acting>()
  let atMs = 1_000_000
  let opens = 0
  for (const { run, choice, afterMs } of list) {
    atMs += afterMs
    const known = acting.get(run)
    const words = NEXT[known?.last ?? 'finish'] ?? []
    const word = words[choice % Math.max(1, words.length)]
    const name = known === undefined || word === undefined ? `r${run}.${opens++}` : known.run
    const events =
      known === undefined || word === undefined
        ? [opened(name, { agent: `agent-${choice % 2}`, user: `user:${choice % 3}` })]
        : eventsOf(word, known, meters, choice)
    const expectedSeq = known === undefined || word === undefined ? 0 : known.state.seq
    const result = await meters.journal.append({ stream: `run/${name}`, expectedSeq, events, atMs })
    if (result.kind !== 'committed') throw new Error(result.kind)
    const state = expectedSeq === 0 || known === undefined ? openRun(result.entry) : foldEntry(known.state, result.entry)
    acting.set(run, { run: name, state, last: expectedSeq === 0 ? '' : (word ?? '') })
    await after(result.entry)
  }
}

describe('law: after a crash at any record, counting again gives what the process had', () => {
  test.each([
    ['from as far back as windows reach', METERS],
    ['from the first record, when something counts for ever', FOR_EVER],
  ])('%s', async (_, meters) => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const disk = createDisk()
        const live = createBox()
        const process = await start(disk, meters, undefined, live)
        await play(process, list, async () => {
          await process.save()
          const before = dumpIn(live)
          const box = createBox()
          await (await start(disk, meters, before.next, box)).save()
          const after = dumpIn(box)
          expect(after.next).toBe(before.next)
          expect(countsOf({ ...after, atMs: before.atMs }, meters)).toEqual(countsOf(before, meters))
        })
      }),
      { numRuns: 40 },
    )
  })

  test('also from a snapshot of any age', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(40), async (list, age) => {
        const disk = createDisk()
        const live = createBox()
        const process = await start(disk, METERS, undefined, live)
        let old: string | undefined
        await play(process, list, async ({ index }) => {
          await process.save()
          if (index === age) old = live.text
        })
        const box = createBox(old)
        await (await start(disk, METERS, undefined, box)).save()
        const before = dumpIn(live)
        const after = dumpIn(box)
        expect(countsOf(after, METERS)).toEqual(countsOf(before, METERS))
      }),
      { numRuns: 60 },
    )
  })
})

test('a snapshot of other meters, or one that cannot be read, is not believed', async () => {
  const disk = createDisk()
  const box = createBox()
  const first = await start(disk, METERS, undefined, box)
  await play(
    first,
    [1, 1, 2, 2, 1, 2].map((choice) => ({ run: 0, choice, afterMs: 1 })),
    async () => undefined,
  )
  await first.save()
  const changed = METERS.with(0, meter('calls', { of: 'proposals', per: 'global' }))
  for (const text of [box.text, '{', '{"v":2}', JSON.stringify({ ...JSON.parse(box.text ?? ''), next: 999 })]) {
    const other = createBox(text)
    await (await start(disk, changed, undefined, other)).save()
    const fresh = createBox()
    await (await start(disk, changed, undefined, fresh)).save()
    expect(JSON.parse(other.text ?? '')).toEqual(JSON.parse(fresh.text ?? ''))
  }
})
