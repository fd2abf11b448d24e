import { expect, test } from 'vitest'
import { killRounds } from '../src/kill-rounds.ts'

// The long version is `npm run e2e:kill -- --rounds 50 --json`.
test('three kills under load lose nothing and double nothing', async () => {
  const { recoveryMsP50, runs, effects, ...report } = await killRounds({ rounds: 3, seed: 20, say: () => {} })
  expect(report.problems).toEqual([])
  expect(report).toMatchObject({
    kills: 3,
    lost: 0,
    doubled: 0,
    unrecorded: 0,
    misstated: 0,
    ambiguousOpen: 0,
    eventsAstray: 0,
    unsettled: 0,
    unverified: 0,
  })
  expect([runs > 20, effects > 20, recoveryMsP50 > 0]).toEqual([true, true, true])
}, 60_000)
