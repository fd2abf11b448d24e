import { afterEach, expect, test, vi } from 'vitest'
import { simulate } from '../src/index.ts'
import { active } from './active-mutation.ts'
import { tamperFor } from './mutant-ports.ts'

const mutants = vi.hoisted(() => () => import('./mutant-modules.ts'))
vi.mock('../../packages/kernel/src/approval/question.ts', async (original) => (await mutants()).mutateQuestion(await original()))
vi.mock('../../packages/kernel/src/control/state.ts', async (original) => (await mutants()).mutateControl(await original()))
vi.mock('../../packages/kernel/src/action/admit.ts', async (original) => (await mutants()).mutateAdmit(await original()))
vi.mock('../../packages/kernel/src/run/next.ts', async (original) => (await mutants()).mutateNext(await original()))
vi.mock('../../packages/kernel/src/run/undo.ts', async (original) => (await mutants()).mutateUndo(await original()))
vi.mock('../../packages/kernel/src/run/fold.ts', async (original) => (await mutants()).mutateFold(await original()))
vi.mock('../../packages/runtime/src/harness/decide.ts', async (original) => (await mutants()).mutateDecide(await original()))
vi.mock('../../packages/runtime/src/harness/execute.ts', async (original) => (await mutants()).mutateExecute(await original()))
vi.mock('../../packages/runtime/src/registry.ts', async (original) => (await mutants()).mutateRegistry(await original()))
vi.mock('../../packages/runtime/src/harness/progress.ts', async (original) => (await mutants()).mutateProgress(await original()))

const limits = vi.hoisted(() => () => import('./mutant-limits.ts'))
vi.mock('../../packages/kernel/src/limit/meter-book.ts', async (original) => (await limits()).mutateBook(await original()))
vi.mock('../../packages/kernel/src/limit/meter-track.ts', async (original) => (await limits()).mutateTrack(await original()))
vi.mock('../../packages/kernel/src/limit/meter-facts.ts', async (original) => (await limits()).mutateMeterFacts(await original()))
vi.mock('../../packages/runtime/src/meters/rebuild.ts', async (original) => (await limits()).mutateRebuild(await original()))
vi.mock('../../packages/runtime/src/harness/labels.ts', async (original) => (await limits()).mutateLabels(await original()))
vi.mock('../../packages/runtime/src/taint/taint-index.ts', async (original) => (await limits()).mutateTaint(await original()))

const declassify = vi.hoisted(() => () => import('./mutant-declassify.ts'))
vi.mock('../../packages/kernel/src/approval/plan.ts', async (original) => (await declassify()).mutatePlan(await original()))
vi.mock('../../packages/kernel/src/approval/endorsement.ts', async (original) =>
  (await declassify()).mutateEndorsement(await original()),
)
vi.mock('../../packages/runtime/src/harness/plan-approval.ts', async (original) =>
  (await declassify()).mutatePlanApproval(await original()),
)

/** So many seeds must be enough to notice any bug in the table. */
const SEEDS = 400

/** The first seed that notices the bug that is switched on, by the invariant that it breaks. */
async function noticedBy(name: string, invariant: string, seeds = SEEDS): Promise<number | undefined> {
  active.name = name
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await simulate({ seed, tamper: tamperFor(name) })
    if (violations.some((violation) => violation.invariant === invariant)) return seed
  }
  return undefined
}

afterEach(() => {
  active.name = ''
})

test.each([
  ['no fence in the journal', 'I1'],
  ['requester may vote', 'I1'],
  ['anybody may vote', 'I1'],
  ['one vote is enough', 'I1'],
  ['a vote counts twice', 'I1'],
  ['digest of the vote ignored', 'I2'],
  ['other arguments executed', 'I2'],
  ['digest over raw arguments', 'I2'],
  ['preview not looked at again', 'I2'],
  ['policy version not compared', 'I2'],
  ['approval used again', 'I2'],
  ['effect before its record', 'I3'],
  ['blind retry', 'I4'],
  ['nobody told of the ambiguous', 'I4'],
  ['settling time skipped', 'I4'],
  ['deadline ignored', 'I5'],
  ['a broken policy allows', 'I6'],
  ['stop not looked at', 'I7'],
  ['secret in the answer', 'I8'],
  ['acknowledged tail dropped', 'I10'],
  ['time goes back', 'I10'],
  ['replay executes', 'I12'],
  ['finish believed without check', 'I13'],
  ['a compensation is believed', 'I13'],
  ['undo in the wrong order', 'undo'],
  ['claims ignored', 'liveness'],
  ['room released before the record', 'limits'],
  ['what is ambiguous is given back', 'limits'],
  ['a restart forgets the ambiguous', 'limits'],
  ['a restart forgets keys', 'counts'],
  ['amounts counted as one', 'limits'],
  ['limits not asked', 'limits'],
  ['the window ends at the wall clock of tomorrow', 'limits'],
  ['room never released', 'counts'],
  ['labels forget at a restart', 'labels'],
  ['what was written is forgotten at a restart', 'labels'],
  ['what was written is not remembered', 'labels'],
  ['a planned call is never used up', 'I2'],
  ['a yes to one call covers the plan', 'I1'],
  ['a plan is not held against the world', 'I2'],
  ['who asks may endorse', 'I1'],
  ['anybody may endorse', 'labels'],
  ['endorsed for another sink as well', 'labels'],
  ['endorsed in vain', 'labels'],
])('%s: the simulator sees %s break', async (name, invariant) => {
  expect(await noticedBy(name, invariant)).toBeDefined()
})

test('without a bug the same mocks and the same seeds are clean', async () => {
  const violations = []
  for (let seed = 1; seed <= 100; seed++) violations.push(...(await simulate({ seed })).violations)
  expect(violations).toEqual([])
})
