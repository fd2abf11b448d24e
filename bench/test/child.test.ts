import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runContender, runThrough } from '../src/child.ts'

const LINE = JSON.stringify({
  name: 'inner name',
  version: '1',
  inFlight: 1,
  actions: 1,
  perSecond: 1,
  p50Ms: 1,
  p99Ms: 1,
  cpuSecondsPerAction: 0,
  rssMb: 1,
  durable: 'fsync',
  notes: '',
})
const directory = mkdtempSync(join(tmpdir(), 'tidegate-child-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const script = (source: string) => ({ name: 'child', program: process.execPath, args: ['-e', source] })
const within = (deadlineMs: number) => ({ deadlineMs, signal: new AbortController().signal })

/** A child that starts a grandchild which ignores SIGTERM, writes down its id, and then behaves as `then` says. */
const withGrandchild = (file: string, then: string) =>
  script(`
    const grandchild = require('node:child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { stdio: 'inherit' })
    require('node:fs').writeFileSync(${JSON.stringify(file)}, String(grandchild.pid))
    ${then}
  `)

/** Ended, or a zombie that its new parent has not waited for yet. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

async function gone(file: string): Promise<boolean> {
  const pid = Number(readFileSync(file, 'utf8'))
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (isGone(pid)) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  process.kill(pid, 'SIGKILL')
  return false
}

describe('a contender', () => {
  test('reports with its last line, under the name we gave it', async () => {
    const report = await runContender(script(`console.log('chatter'); console.log(${JSON.stringify(LINE)})`), within(10_000))
    expect(report).toMatchObject({ name: 'child', perSecond: 1 })
  })

  test.each([
    ['exits with 3', 'process.exit(3)'],
    ['prints nothing', ''],
    ['prints a report and crashes', `console.log(${JSON.stringify(LINE)}); process.exit(1)`],
    ['prints without end', `setInterval(() => console.log('x'.repeat(10000)), 1)`],
  ])('that %s has failed', async (_what, source) => {
    expect(await runContender(script(source), within(10_000))).toMatchObject({ name: 'child', failed: expect.any(String) })
  })

  test('that cannot be started has failed', async () => {
    const report = await runContender({ name: 'child', program: join(directory, 'absent'), args: [] }, within(10_000))
    expect(report).toMatchObject({ name: 'child', failed: expect.stringContaining('cannot be started') })
  })

  test('sees the environment it was given and nothing else', async () => {
    const source = `process.exit(Object.keys(process.env).join() === 'ONLY' ? 0 : 1)`
    const environment = { ONLY: 'this' }
    expect(await runThrough({ ...script(source), environment }, within(10_000))).toBe(0)
    expect(await runThrough({ ...script(source), environment: { ...environment, MORE: 'x' } }, within(10_000))).toBe(1)
  })

  test.skipIf(process.platform === 'win32')('is ended at its deadline with everything it started', async () => {
    const file = join(directory, 'deadline')
    const report = await runContender(withGrandchild(file, 'setInterval(() => {}, 1000)'), within(500))
    expect(report).toMatchObject({ failed: expect.stringContaining('still running after 0.5 s') })
    expect(await gone(file)).toBe(true)
  })

  test.skipIf(process.platform === 'win32')('that leaves an engine behind does not hold us up', async () => {
    const file = join(directory, 'left-behind')
    const report = await runContender(
      withGrandchild(file, `console.log(${JSON.stringify(LINE)}); process.exit(0)`),
      within(10_000),
    )
    expect(report).toMatchObject({ perSecond: 1 })
    expect(await gone(file)).toBe(true)
  })

  test('is ended when a person interrupts, and none is started afterwards', async () => {
    const interrupted = new AbortController()
    const limits = { deadlineMs: 10_000, signal: interrupted.signal }
    const running = runContender(script('setInterval(() => {}, 1000)'), limits)
    interrupted.abort()
    expect(await running).toMatchObject({ failed: 'interrupted' })
    expect(await runContender(script('process.exit(0)'), limits)).toMatchObject({ failed: 'interrupted' })
  })
})
