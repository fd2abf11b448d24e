import type { Draft, Journal } from '@tidegate/kernel'
import { createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test, vi } from 'vitest'
import { PERMIT } from '../bench-desk.ts'
import { callOf, startHost } from './host-bench.ts'

/** What a call has read is told before its last record is durable (H5); what a call has done is not. */
const SOON = { waitMs: 1_000 }

/** A journal that takes the end of a run only when it is let to; `lose` takes it never, as after a crash. */
function slowAtTheEnd(stored: Journal = createMemoryJournal()) {
  const gate = Promise.withResolvers<'let' | 'lose'>()
  const ends: Draft[] = []
  const journal: Journal = {
    ...stored,
    async append(draft) {
      if (!draft.events.some(({ type }) => type === 'run.finished')) return stored.append(draft)
      ends.push(draft)
      if ((await gate.promise) === 'lose') throw Object.assign(new Error('the disk is full'), { code: 'journal_full' })
      return stored.append(draft)
    },
  }
  return { journal, stored, ends, open: () => gate.resolve('let'), lose: () => gate.resolve('lose') }
}

/** What policy was told about taint, decision by decision. */
function noting() {
  const tainted: boolean[] = []
  const evaluate = ({ context }: { context: { flow: { tainted: boolean } } }) => {
    tainted.push(context.flow.tainted)
    return PERMIT
  }
  return { tainted, policy: { version: 'p1', evaluate } }
}

const read = (call: string) => callOf({ call, operation: 'desk.read', arguments: { id: 'r1' } })

describe('the answer of a call that only reads', () => {
  test('comes while its last record, which can wait, is being written; its start is durable', async () => {
    const { journal, stored, ends, open } = slowAtTheEnd()
    const { desk, tidegate } = await startHost({ journal })
    const answer = await desk.perform(read('c1'), SOON)
    expect(answer).toMatchObject({ kind: 'done' })
    expect(ends).toMatchObject([{ canWait: true }])
    const run = answer.kind === 'done' ? answer.run : ''
    const types = async () => (await stored.read(`run/${run}`)).flatMap(({ events }) => events.map(({ type }) => type))
    expect(await types()).toContain('effect.started')
    expect(await types()).not.toContain('effect.finished')
    open()
    await tidegate.close()
    expect(await types()).toContain('effect.finished')
  })

  test('taints the next call at once', async () => {
    const { journal, open } = slowAtTheEnd()
    const { tainted, policy } = noting()
    const { desk } = await startHost({ journal, policy })
    await desk.perform(read('c1'), SOON)
    await desk.perform(read('c2'), SOON)
    expect(tainted).toEqual([false, true])
    open()
  })

  test('taints the conversation also when its record is lost with us', async () => {
    const { journal, stored, lose } = slowAtTheEnd()
    const first = await startHost({ journal })
    expect(await first.desk.perform(read('c1'), SOON)).toMatchObject({ kind: 'done' })
    lose()
    const { tainted, policy } = noting()
    const { desk } = await startHost({ journal: stored, policy })
    expect(await desk.perform(read('c2'), SOON)).toMatchObject({ kind: 'done' })
    expect(tainted).toEqual([true])
  })
})

test('a read that was answered, lost and then given up taints its conversation after the next restart (seed 354)', async () => {
  const { journal, stored, lose } = slowAtTheEnd()
  const first = await startHost({ journal })
  const answer = await first.desk.perform(read('c1'), SOON)
  lose()
  const second = await startHost({ journal: stored }) // finds it started, and that it may be done again; nobody asks for it
  const run = answer.kind === 'done' ? answer.run : ''
  await vi.waitFor(async () => expect((await second.tidegate.run(run))?.actions[0]?.found).toBe('repeatable'))
  const { tainted, policy } = noting()
  const { desk } = await startHost({ journal: stored, policy })
  await desk.perform(read('c2'), SOON)
  expect(tainted).toEqual([true])
})

test('the answer of a call that changes something waits for its last record', async () => {
  const { journal, ends, open } = slowAtTheEnd()
  const { desk } = await startHost({ journal })
  let isAnswered = false
  const answering = desk.perform(callOf({ call: 'c1' }), SOON).finally(() => (isAnswered = true))
  while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(isAnswered).toBe(false)
  expect(ends[0]?.canWait).toBeUndefined()
  open()
  expect(await answering).toMatchObject({ kind: 'done' })
})
