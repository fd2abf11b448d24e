import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drive, quantile } from '../src/load.ts'

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the load', () => {
  test('keeps exactly the asked number of runs under way', async () => {
    let underWay = 0
    let most = 0
    await drive({ actions: 200, inFlight: 8, seconds: 10, actionsPerRun: 5 }, async (_runId, actions, finished) => {
      underWay += 1
      most = Math.max(most, underWay)
      for (let action = 0; action < actions; action += 1) {
        await soon()
        finished(1)
      }
      underWay -= 1
    })
    expect(most).toBe(8)
    expect(underWay).toBe(0)
  })

  test('closes the window at the asked number of actions and counts neither the warm-up nor the tail', async () => {
    let performed = 0
    const window = await drive(
      { actions: 100, inFlight: 4, seconds: 10, actionsPerRun: 5 },
      async (_runId, actions, finished) => {
        for (let action = 0; action < actions; action += 1) {
          await soon()
          performed += 1
          finished(2)
        }
      },
    )
    expect(window.actions).toBe(100)
    expect(window.p50Ms).toBe(2)
    expect(performed).toBeGreaterThanOrEqual(4 * 5 + 100)
    expect(window.rssMb).toBeGreaterThan(10)
  })

  test('closes the window after the asked seconds', async () => {
    const startedMs = performance.now()
    const window = await drive(
      { actions: 1e9, inFlight: 2, seconds: 0.2, actionsPerRun: 1 },
      async (_runId, _actions, finished) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        finished(5)
      },
    )
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(window.actions).toBeGreaterThan(0)
    expect(window.perSecond).toBeLessThanOrEqual(400)
  })

  test('ends with the first run that fails', async () => {
    const broken = drive({ actions: 10, inFlight: 2, seconds: 1, actionsPerRun: 1 }, async () => {
      throw new Error('engine gone')
    })
    await expect(broken).rejects.toThrow('engine gone')
  })
})

describe('a quantile', () => {
  test('is a member of the list, and no smaller one covers the share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, q) => {
          const sorted = values.toSorted((left, right) => left - right)
          const answer = quantile(sorted, q)
          expect(sorted).toContain(answer)
          expect(sorted.filter((value) => value <= answer).length).toBeGreaterThanOrEqual(q * sorted.length)
          expect(sorted.filter((value) => value < answer).length).toBeLessThan(q * sorted.length)
        },
      ),
    )
  })

  test('of nothing is 0', () => {
    expect(quantile([], 0.5)).toBe(0)
  })
})
