import { describe, expect, test } from 'vitest'
import { microsPerAction, readThreadMicros } from '../src/thread-cpu.ts'

describe('processor time by thread', () => {
  test('is the difference over the actions', () => {
    const before = { main: 100, writer: 10, v8: 0, other: 1 }
    const after = { main: 1_100, writer: 510, v8: 33, other: 1 }
    expect(microsPerAction(before, after, 10)).toEqual({ main: 100, writer: 50, v8: 3.3, other: 0 })
    expect(microsPerAction(before, after, 0)).toEqual({ main: 1_000, writer: 500, v8: 33, other: 0 })
  })

  test.runIf(process.platform === 'linux')('grows as this process works, within what the process has used', () => {
    const read = () => Object.values(readThreadMicros() ?? {}).reduce((sum, micros) => sum + micros, 0)
    const first = read()
    const busyUntil = process.cpuUsage().user + 20_000
    let spun = 0
    while (process.cpuUsage().user < busyUntil) spun += 1
    expect(spun).toBeGreaterThan(0)
    expect(read() - first).toBeGreaterThan(10_000)
  })
})
