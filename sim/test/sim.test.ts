import { describe, expect, test } from 'vitest'
import { drawScenario } from '../src/plan/scenario.ts'
import { replayCommand, runSeeds, simulate, sweep } from '../src/index.ts'

describe('the simulator', () => {
  test.each([3, 12, 77])('seed %i is the same to the byte, each time', async (seed) => {
    const first = await simulate({ seed })
    const again = await simulate({ seed })
    expect(again).toEqual(first)
    expect((await simulate({ seed: seed + 1 })).hash).not.toBe(first.hash)
  })

  test('100 seeds, some of them swept, break no invariant', async () => {
    const { findings, crashPoints, faults, seeds } = await runSeeds({ from: 1, count: 100 })
    expect(findings.map((finding) => `${finding.invariant} ${finding.message}: ${replayCommand(finding)}`)).toEqual([])
    expect([seeds, crashPoints > 500, faults > 500]).toEqual([100, true, true])
  }, 120_000)

  test.each([
    [
      972,
      2,
      'room for the next attempt of an effect that was looked for and not there, when its first count has left the window',
    ],
    [54, 0, 'a run was decided after a restart before its conversation was known again, and then forgot why it was tainted'],
    [54, 86, 'an action was done again after a restart, since nobody knew that its answer had not been heard'],
    [48, 32, 'a call whose caller had left before it was written was refused from then on'],
    [66, 35, 'what a host had been permitted and could not tell of any more did not taint'],
    [78, 15, 'the name of a call that had a ticket opened, after a restart, what its ticket was for'],
    [78, 0, 'who was only observed was permitted to do a call of ours'],
    [150, 1, 'an effect started after its caller had left while its start was being written'],
  ])('seed %i, crashed at %i, once broke an invariant: %s', async (seed, crashAt) => {
    expect((await simulate({ seed, crashAt })).violations).toEqual([])
  })

  test('a sweep crashes at each point once, and a restart always finds its way', async () => {
    const outcomes = await sweep(6)
    const [calm, ...crashed] = outcomes
    expect(calm).toMatchObject({ crashPoints: 0, violations: [] })
    expect(crashed).toHaveLength(calm?.points ?? -1)
    for (const outcome of crashed) expect(outcome).toMatchObject({ crashPoints: 1, violations: [] })
  })

  test('what can happen does happen: the seeds reach the dark corners', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 200; seed++)
      for (const line of (await simulate({ seed })).trace) for (const word of CORNERS) if (line.includes(word)) seen.add(word)
    expect(CORNERS.filter((word) => !seen.has(word))).toEqual([])
  }, 120_000)

  test('seeds draw different scenarios', () => {
    const texts = [1, 2, 3, 4, 5].map((seed) => JSON.stringify(drawScenario(seed)))
    expect(new Set(texts).size).toBe(5)
  })
})

const CORNERS = [
  'state=granted',
  'state=refused',
  'state=lapsed',
  'state=voided',
  'outcome=dry_run',
  'found=happened',
  'found=absent',
  'found=repeatable',
  'found=unknown',
  'found=doubled',
  'kind=doubled',
  'kind=ambiguous',
  'kind=cannot_undo',
  'kind=stopped_midway',
  'run.held',
  'run.resumed',
  'run.undone',
  'state=stopped',
  'breaker.opened',
  'store fails: kept',
  'store fails: lost',
  'is_requester',
  'not_entitled',
  'approval_lapsed',
  'digest_mismatch',
  'already_voted',
  'already_undone',
  'duplicate',
  'wall clock jumps',
  'failure=loop',
  'late)',
  'limit.per-agent',
  'limit.asked',
  'limit.money',
  'limit.per-record',
  'limit.per-run',
  'limit.never-after',
  'value.endorsed',
  'under-plan',
  'not_a_sink',
  'host: does',
  ': permit',
  ': ticket',
  ': done',
  ': denied',
  ': pending',
  ': stopped',
  ': unknown, unheard',
  'is permitted',
  'failure=unclaimed',
]
