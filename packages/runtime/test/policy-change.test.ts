import { type AppendResult, declaredFacts, type Draft, type Journal, NEUTRAL_FACTS } from '@tidegate/kernel'
import { createDisk, createMemoryJournal, type Disk } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createRegistry, POLICY_OPERATIONS } from '../src/index.ts'
import { listPlanner, workflow } from './bench-desk.ts'
import { ANN, OTTO, PERMISSIVE, policies, propose, READ, RITA, startChangeBench, STRICT } from './change-bench.ts'

test('a change waits for a reviewer, and the next decision is made by what was agreed on', async () => {
  const bench = await startChangeBench()
  expect(await bench.outcomeOf(await bench.work())).toBe('allow')
  const before = bench.store.version
  const run = await propose(bench, STRICT)
  const { head, view } = await bench.approve(run)
  expect(view.reasons).toEqual(['a change of policy or of a tool: somebody else looks at it first'])
  expect(view.preview).toMatchObject({
    before: { version: before, policies: {} },
    after: {
      version: bench.store.version,
      policies: { 'no-set': { does: 'forbid', reason: 'nothing is set any more' } },
      unchanged: 4,
      backtest: { decided: 2, changed: 1, loosened: 0 },
    },
  })
  expect(head.state).toBe('completed')
  expect(bench.store.version).not.toBe(before)
  expect(bench.store.record).toMatchObject({ cause: 'change', by: 'user:otto', reviewers: ['user:rita'], run, previous: before })
  expect(await bench.outcomeOf(await bench.work())).toBe('deny')
})

test('files may be called what people call them', async () => {
  const { changes } = await startChangeBench()
  const answer = await changes.plan({ person: OTTO, files: policies(STRICT, 'policies/退款/überwacht.cedar'), backtest: null })
  expect(answer).toMatchObject({ kind: 'planned', plan: { files: [{ change: 'removed' }, { change: 'added' }] } })
})

test('whoever is asked sees the whole of a condition, however long it is', async () => {
  const bench = await startChangeBench()
  const condition = Array.from({ length: 40 }, (_, i) => `context.user != "user:person-${i}"`).join(' && ')
  const run = await propose(
    bench,
    `${PERMISSIVE}\n@id("long")\n@reason("long")\nforbid (principal, action == Action::"desk.set", resource) when { ${condition} };`,
  )
  await bench.settled(run)
  const [view] = await bench.tidegate.approvals({ state: 'open' })
  const preview = view?.preview as { after: { policies: { long: { condition: readonly string[] } } } }
  const shown = preview.after.policies.long.condition
  expect(shown.every((line) => line.length <= 160)).toBe(true)
  expect(shown.join(' ')).toContain('"user:person-39"')
})

describe('who may', () => {
  test('whoever proposes may not approve, though they review the changes of others', async () => {
    const bench = await startChangeBench()
    const run = await propose(bench, STRICT)
    expect((await bench.approve(run, OTTO)).answer).toMatchObject({ kind: 'rejected', code: 'is_requester' })
    expect((await bench.approve(run, ANN)).answer).toMatchObject({ kind: 'rejected', code: 'not_entitled' })
    expect(bench.store.record.cause).toBe('first_start')
  })

  test('whoever is neither operator nor reviewer proposes nothing', async () => {
    const { changes } = await startChangeBench()
    const why = 'because'
    const codes = [
      await changes.apply({ person: ANN, files: policies(STRICT), backtest: null, why }),
      await changes.rollback({ person: ANN, why }),
      await changes.acceptTool({ person: ANN, operation: 'desk.set', why }),
    ].map((answer) => (answer.kind === 'refused' ? answer.code : answer.kind))
    expect(codes).toEqual(['not_entitled', 'not_entitled', 'not_entitled'])
  })

  test('nobody opens the workflow from outside', async () => {
    const { tidegate } = await startChangeBench()
    const request = { workflow: 'policy-change', source: 's', event: 'e', input: {}, user: 'user:ann', client: 'client:test' }
    expect(await tidegate.trigger(request)).toMatchObject({ kind: 'refused', code: 'unknown_workflow' })
  })

  test('no workflow of the project may call itself Tidegate', () => {
    const entry = { workflow: workflow([READ], { agent: 'tidegate' }), planner: listPlanner([]) }
    expect(() => createRegistry([], [entry])).toThrow(expect.objectContaining({ code: 'workflow_conflict' }))
  })

  test('whatever a project permits, its own agents change nothing of Tidegate', async () => {
    const { store } = await startChangeBench()
    const loading = await store.load(policies('@id("all")\npermit (principal, action, resource);'))
    if (loading.kind === 'refused') throw loading.cause
    const [apply] = POLICY_OPERATIONS
    if (apply === undefined) throw new Error('There is no operation that changes policies.')
    const zero = '0'.repeat(64)
    const verdict = loading.candidate.set.engine.evaluate({
      ...{ agent: 'agent-1', workflow: 'w', operation: apply.id, tool: apply.tool, user: 'user:otto', client: 'client:x' },
      context: {
        ...declaredFacts(apply, workflow([])),
        ...NEUTRAL_FACTS,
        time: { nowMs: 0, hour: 0, weekday: 4 },
        arguments: { version: zero, previous: zero, why: '' },
      },
    })
    expect(verdict).toMatchObject({ kind: 'forbidden', forbids: [{ id: 'tidegate.change-asks' }, { id: 'tidegate.own-agent' }] })
  })

  test('without reviewers an operator changes them alone, and it is recorded', async () => {
    const bench = await startChangeBench({ reviewers: [] })
    const run = await propose(bench, STRICT)
    expect((await bench.settled(run)).state).toBe('completed')
    expect(bench.store.record).toMatchObject({ cause: 'change', by: 'user:otto', reviewers: [] })
  })
})

describe('what is refused', () => {
  test.each([
    ['no Cedar', 'permit (principal', 'policies/desk.cedar', 1],
    [
      'an operation that is not there',
      `${PERMISSIVE}\n\n@id("x")\npermit (principal, action == Action::"desk.nothing", resource);`,
      'policies/desk.cedar',
      6,
    ],
    [
      'the id of a built-in policy',
      `${PERMISSIVE}\n@id("tidegate.own-agent")\npermit (principal, action, resource);`,
      'policies/desk.cedar',
      4,
    ],
  ])('%s, with its place, while the old goes on deciding', async (_, text, file, line) => {
    const bench = await startChangeBench()
    const before = bench.store.version
    const answer = await bench.changes.apply({ person: OTTO, files: policies(text), backtest: null, why: 'oops' })
    expect(answer).toMatchObject({ kind: 'refused', code: 'policy_refused', faults: [{ file, line }] })
    expect(bench.store.version).toBe(before)
    expect(await bench.outcomeOf(await bench.work())).toBe('allow')
  })

  test('what is in force already', async () => {
    const { changes } = await startChangeBench()
    const answer = await changes.apply({
      person: OTTO,
      files: policies(PERMISSIVE, 'policies/other.cedar'),
      backtest: null,
      why: 'w',
    })
    expect(answer).toMatchObject({ kind: 'refused', code: 'nothing_to_change' })
  })

  test.each([
    ['a forbid over everything', 'forbid (principal, action, resource);'],
    ['a trial of everything', '@outcome("dry_run")\nforbid (principal, action, resource);'],
    ['a forbid over reads', 'forbid (principal, action, resource) when { context.mutability == "read" };'],
  ])('%s: nobody could take it back', async (_, rule) => {
    const { changes } = await startChangeBench()
    const files = policies(`${PERMISSIVE}\n@id("all")\n@reason("nothing at all")\n${rule}`)
    const answer = await changes.plan({ person: OTTO, files, backtest: null })
    expect(answer).toMatchObject({ kind: 'refused', code: 'policy_locks_out', message: expect.stringContaining('all') })
  })

  test.each([
    ['no file', []],
    ['two files of one name', [...policies(PERMISSIVE), ...policies(STRICT)]],
    ['a name that leads elsewhere', policies(PERMISSIVE, '../x.cedar')],
    ['too much', policies(`// ${'x'.repeat(700_001)}`)],
    ['too many names', Array.from({ length: 100 }, (_, i) => ({ file: `${'n'.repeat(200)}${i}`, layer: 'project', text: '' }))],
  ])('%s', async (_, files) => {
    const { changes } = await startChangeBench()
    expect(await changes.plan({ person: OTTO, files, backtest: null })).toMatchObject({ kind: 'refused', code: 'invalid_input' })
  })
})

describe('two at once', () => {
  test('the second is asked about again, and refused: it was meant for other policies', async () => {
    const bench = await startChangeBench()
    const first = await propose(bench, STRICT)
    const second = await propose(bench, `${PERMISSIVE}// and a word\n`)
    expect((await bench.approve(first)).head.state).toBe('completed')
    const version = bench.store.version
    expect((await bench.approve(second)).head.state).toBe('failed')
    expect(bench.store.version).toBe(version)
    const state = await bench.tidegate.run(second)
    expect([...(state?.approvals.values() ?? [])].map(({ state: became }) => became)).toEqual(['voided'])
    expect(state?.actions.at(-1)?.decision?.policies[0]?.id).toBe('tidegate:preview-failed')
  })

  test('of two that are in flight together one is refused', async () => {
    const bench = await startChangeBench({ reviewers: [] })
    const runs = await Promise.all([propose(bench, STRICT), propose(bench, `${PERMISSIVE}// and a word\n`)])
    const states = (await Promise.all(runs.map((run) => bench.settled(run)))).map(({ state }) => state)
    expect(states.toSorted()).toEqual(['completed', 'failed'])
    expect(bench.store.history.versions).toHaveLength(2)
  })
})

describe('going back', () => {
  test('undoes the run that changed them, and is reviewed like any change', async () => {
    const bench = await startChangeBench()
    const before = bench.store.version
    const run = await propose(bench, STRICT)
    await bench.approve(run)
    const back = await bench.changes.rollback({ person: OTTO, why: 'it was wrong' })
    if (back.kind === 'refused') throw new Error(back.message)
    expect((await bench.tidegate.run(back.run))?.opened.undoes).toBe(run)
    expect((await bench.approve(back.run)).head.state).toBe('completed')
    expect(bench.store.version).toBe(before)
    expect(bench.store.record).toMatchObject({ by: 'user:otto', reviewers: ['user:rita'], run: back.run })
    expect(await bench.outcomeOf(await bench.work())).toBe('allow')
    expect((await bench.tidegate.run(run))?.undoneBy).toBe(back.run)
  })

  test('leads to any version by a few of its digits', async () => {
    const bench = await startChangeBench()
    const first = bench.store.version
    await bench.approve(await propose(bench, STRICT))
    await bench.approve(await propose(bench, `${PERMISSIVE}// and a word\n`))
    const back = await bench.changes.rollback({ person: OTTO, version: first.slice(0, 8), why: 'back to the first' })
    if (back.kind === 'refused') throw new Error(back.message)
    await bench.approve(back.run)
    expect(bench.store.version).toBe(first)
    expect(bench.changes.versions().map(({ version, inForce }) => [version === first, inForce])).toEqual([
      [true, true],
      [false, false],
      [false, false],
      [true, false],
    ])
    expect(bench.changes.show()?.texts.map(({ file, layer }) => [file, layer])).toEqual([
      ['policies/desk.cedar', 'project'],
      ['builtin/changes.cedar', 'builtin'],
    ])
  })

  test('has nowhere to go before the first change, and from an unknown version', async () => {
    const { changes } = await startChangeBench()
    expect(await changes.rollback({ person: OTTO, why: 'w' })).toMatchObject({ kind: 'refused', code: 'not_found' })
    expect(await changes.rollback({ person: OTTO, version: 'abcdef', why: 'w' })).toMatchObject({ code: 'not_found' })
  })
})

/** A journal that lets somebody look at each record before it is written, and hold it back. */
function watched(
  disk: Disk,
  before: (draft: Draft) => Promise<void>,
  after: (draft: Draft) => Promise<void> = async () => {},
): Journal {
  const inner = createMemoryJournal(disk)
  return {
    ...inner,
    append: async (draft): Promise<AppendResult> => {
      await before(draft)
      const result = await inner.append(draft)
      await after(draft)
      return result
    },
  }
}

test('what was decided before the change does not start after it', async () => {
  const disk = createDisk()
  const adopted = Promise.withResolvers<void>()
  let held = 0
  const journal = watched(disk, async (draft) => {
    const starts = draft.events.some((event) => event.type === 'effect.started' && event.lease.length === 0)
    const isDesk = draft.events.some((event) => event.type === 'action.proposed' && event.operation === 'desk.set')
    if (!starts || !isDesk || held > 0) return
    held += 1
    await adopted.promise
  })
  const bench = await startChangeBench({ journal, reviewers: [] })
  const working = bench.work()
  await expect.poll(() => held).toBe(1)
  const run = await propose(bench, STRICT)
  expect((await bench.settled(run)).state).toBe('completed')
  adopted.resolve()
  const outcome = await bench.outcomeOf(await working)
  expect([outcome, bench.connector.done]).toEqual(['deny', []])
})

test('a crash between the change and its record leaves the change, and the run finds it', async () => {
  const disk = createDisk()
  let crashed = false
  const never = new Promise<void>(() => {})
  const journal = watched(
    disk,
    async () => (crashed ? never : undefined),
    async ({ events }) => {
      if (!events.some((event) => event.type === 'policy.adopted' && event.cause === 'change')) return
      crashed = true
      await never
    },
  )
  const before = await startChangeBench({ journal, reviewers: [] })
  const run = await propose(before, STRICT)
  await expect.poll(() => crashed).toBe(true)

  const after = await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [], onDisk: STRICT })
  expect((await after.settled(run)).state).toBe('completed')
  const action = (await after.tidegate.run(run))?.actions[0]
  expect([action?.found, action?.attempts]).toEqual(['happened', 1])
  expect(after.store.history.versions.map(({ cause }) => cause)).toEqual(['first_start', 'change'])
})

test('a crash before the change leaves the old policies, and the run looks before it tries again', async () => {
  const disk = createDisk()
  let crashed = false
  const never = new Promise<void>(() => {})
  const journal = watched(disk, async ({ events }) => {
    crashed ||= events.some((event) => event.type === 'policy.adopted' && event.cause === 'change')
    if (crashed) await never
  })
  const before = await startChangeBench({ journal, reviewers: [] })
  const run = await propose(before, STRICT)
  await expect.poll(() => crashed).toBe(true)

  const after = await startChangeBench({ journal: createMemoryJournal(disk), reviewers: [] })
  expect(after.store.history.versions.map(({ cause }) => cause)).toEqual(['first_start'])
  expect((await after.settled(run)).state).toBe('completed')
  expect((await after.tidegate.run(run))?.actions[0]).toMatchObject({ attempts: 2, state: 'done' })
  expect(after.store.history.versions.map(({ cause }) => cause)).toEqual(['first_start', 'change'])
})

test('reviewers who are not people in the actor chain see who asked', async () => {
  const bench = await startChangeBench()
  const run = await propose(bench, STRICT, RITA)
  expect((await bench.approve(run, RITA)).answer).toMatchObject({ code: 'is_requester' })
  expect((await bench.approve(run, OTTO)).answer).toMatchObject({ kind: 'counted', state: 'granted' })
})
