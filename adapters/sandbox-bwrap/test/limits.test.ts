import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createStage, ended, say, text } from './stage.ts'

const stage = createStage()
afterAll(() => stage.close())

const MEGABYTE = 1_048_576

describe('limits hold', () => {
  test('a fork bomb ends, and the next command runs', async () => {
    const session = await stage.open({ limits: { processes: 40, wallMs: 1_500 } })
    const result = await session.run({ command: 'bomb() { bomb | bomb & }; bomb; sleep 1; echo survived' })
    expect(['ended', 'stopped']).toContain(result.kind)
    expect((await say(session, 'echo here; set -- /proc/[0-9]*; echo $#')).out).toBe('here\n2\n')
    await session.close()
  })

  test('more processes than allowed are not made', async () => {
    const session = await stage.open({ limits: { processes: 10 } })
    const { out } = await say(session, [
      'perl',
      '-e',
      'my $n = 0; for (1..50) { my $p = fork; if (!defined $p) { last } if (!$p) { sleep 5; exit } $n++ } print $n',
    ])
    expect(Number(out)).toBeGreaterThan(4)
    expect(Number(out)).toBeLessThanOrEqual(11)
    await session.close()
  })

  test('a memory bomb fails, and the next command runs', async () => {
    const session = await stage.open({ limits: { memoryBytes: 64 * MEGABYTE } })
    const result = await session.run({ command: ['perl', '-e', 'my @all; while (1) { push @all, "x" x 1048576 }'] })
    expect(result.kind === 'ended' ? result.exitCode : 1).not.toBe(0)
    expect((await say(session, 'echo here')).out).toBe('here\n')
    await session.close()
  })

  test.each(['/tmp', '/dev/shm'])('temporary files in %s are memory, and limited', async (directory) => {
    const session = await stage.open({ limits: { memoryBytes: 64 * MEGABYTE } })
    const { code, out } = await say(session, `head -c 100000000 /dev/zero >${directory}/x; echo; stat -c %s ${directory}/x`)
    expect([code, Number(out)]).toEqual([0, expect.toSatisfy((size: number) => size <= 32 * MEGABYTE)])
    await session.close()
  })

  test('a file ends where it must', async () => {
    const session = await stage.open({ limits: { fileBytes: MEGABYTE } })
    expect((await say(session, 'head -c 5000000 /dev/zero >x; stat -c %s x')).out).toBe(`${MEGABYTE}\n`)
    await session.close()
  })

  test('processor time', async () => {
    const session = await stage.open({ limits: { cpuSeconds: 1 } })
    expect((await say(session, 'while :; do :; done')).code).toBeGreaterThan(128)
    await session.close()
  })

  test('limits cannot be raised', async () => {
    const session = await stage.open()
    expect(await say(session, 'ulimit -u unlimited; ulimit -d unlimited; ulimit -f unlimited; ulimit -n 1000000')).toMatchObject({
      code: 1,
      out: '',
    })
    await session.close()
  })

  test('sleeping past the limit is a stop, with what was said before', async () => {
    const session = await stage.open({ limits: { wallMs: 300 } })
    const started = performance.now()
    const result = await session.run({ command: 'echo begun; sleep 100', timeoutMs: 50_000 })
    expect(result).toMatchObject({ kind: 'stopped', because: 'time' })
    expect(result.kind === 'stopped' && text(result.stdout)).toBe('begun\n')
    expect(performance.now() - started).toBeLessThan(5_000)
    await session.close()
  })

  test('a flood is kept up to the limit, and ends with the time', async () => {
    const session = await stage.open({ limits: { outputBytes: 1_000, wallMs: 500 } })
    const before = process.memoryUsage().rss
    const result = await session.run({ command: 'yes & yes >&2' })
    expect(result).toMatchObject({ kind: 'stopped', stdoutTruncated: true, stderrTruncated: true })
    expect(result.kind === 'stopped' && [result.stdout.length, result.stderr.length]).toEqual([1_000, 1_000])
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MEGABYTE)
    await session.close()
  })

  test('output of exactly the limit is whole', async () => {
    const session = await stage.open({ limits: { outputBytes: 100_000 } })
    const exact = ended(await session.run({ command: 'head -c 100000 /dev/zero' }))
    const more = ended(await session.run({ command: 'head -c 100001 /dev/zero' }))
    expect([exact.stdout.length, exact.stdoutTruncated, more.stdout.length, more.stdoutTruncated]).toEqual([
      100_000,
      false,
      100_000,
      true,
    ])
    await session.close()
  })

  test('as root, a session has a control group, and leaves none behind', async () => {
    const groups = (): readonly string[] => {
      const text = readFileSync('/proc/self/cgroup', 'utf8')
      const own = /^\d+:pids:(.*)$/m.exec(text)?.[1]
      const directories = own === undefined ? [] : [...new Set([join('/sys/fs/cgroup/pids', own, '/'), '/sys/fs/cgroup/pids/'])]
      return directories
        .filter(existsSync)
        .flatMap((directory) => readdirSync(directory).filter((name) => name.startsWith(`tidegate-${process.pid}-`)))
    }
    const before = groups().length
    const layer = (await stage.sandbox.probe()).layers.find(({ name }) => name === 'control group')
    const session = await stage.open()
    expect(groups().length - before).toBe(layer?.state === 'present' && layer.detail.startsWith('version 1') ? 1 : 0)
    await session.close()
    expect(groups().length).toBe(before)
  })
})
