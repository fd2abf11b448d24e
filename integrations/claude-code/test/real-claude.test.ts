import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Story } from './real/inside.ts'
import type { Whole } from './real/whole.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
// Claude Code is not of an open licence and is hundreds of megabytes: it is tried where somebody has it, as docs/guide/claude-code.md says.
const claude = process.env.TIDEGATE_CLAUDE_CODE ?? ''

describe.skipIf(claude === '')('the real Claude Code, in a network of its own', () => {
  let stories: Readonly<Record<string, Story>> = {}
  let restored = false

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tidegate-claude-'))
    const node = here('../../../node_modules/.bin/node')
    const args = ['-rn', node, here('real/inside.ts'), claude, node, here('../../../packages/cli/bin/tidegate.js'), directory]
    try {
      const { stdout } = await run('unshare', args, { maxBuffer: 16 * 1_048_576, timeout: 280_000 })
      const report = JSON.parse(stdout) as { readonly stories: Readonly<Record<string, Story>>; readonly restored: boolean }
      stories = report.stories
      restored = report.restored
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }, 300_000)

  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['allowed', ['made.txt'], /no output/],
    ['denied', [], /Denied by policy: not in this house/],
    ['deniedInBypass', [], /Denied by policy/],
    ['parallelDenied', [], /Denied by policy/],
    ['parallelOne', ['a.txt', 'c.txt'], /no output/],
    ['subAgent', [], /Subagent/],
    ['background', [], /Denied by policy/],
    ['askedThenApproved', ['made.txt'], /Waiting for approval #a-7/],
    ['pinned', ['made.txt'], /no output/],
    ['hostAsksBesides', [], /needs approval/],
    ['userDenies', [], /has been denied/],
    ['fails', [], /Exit code 3/],
    ['hangs', [], /did not answer within/],
    ['unreachable', [], /ECONNREFUSED/],
    ['hookGone', [], /onFailure is \\"block\\"/],
    ['observed', ['made.txt'], /no output/],
    ['observedHostAsks', [], /needs approval/],
    ['observedUnreachable', ['made.txt'], /no output/],
  ]
  test.each(cases)('%s', (name, files, told) => {
    const story = stories[name]
    expect(story?.files).toEqual(files)
    expect(story?.told[0]).toMatch(told)
  })

  test('runs what was decided, and not what was asked for', () => {
    expect(stories.pinned?.contents).toBe('pinned')
  })

  test('a sub-agent comes by the same door, in the same session', () => {
    const calls = stories.subAgent?.asked.filter(({ path }) => path === '/v1/host/calls') ?? []
    expect(calls.map(({ tool }) => tool)).toEqual(['Agent', 'Bash'])
    expect(new Set(calls.map(({ session }) => session)).size).toBe(1)
  })

  test('reports what it did, what failed, and what its own rules refused after our permit', () => {
    const reports = (name: string) => stories[name]?.asked.filter(({ path }) => path === '/v1/host/reports').map(({ ok }) => ok)
    expect(reports('allowed')?.[0]).toBe(true)
    expect(reports('fails')?.[0]).toBe(false)
    expect(reports('userDenies')).toEqual([false])
  })

  test('is put back byte for byte', () => {
    expect(restored).toBe(true)
  })
})

test.skipIf(claude === '')(
  'under the real server: observed, asked, closed when it is killed, approved after a restart of both',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tidegate-claude-'))
    const node = here('../../../node_modules/.bin/node')
    const places = [
      here('../../../packages/cli/bin/tidegate.js'),
      here('../../../packages/cli/template'),
      here('../../../node_modules'),
    ]
    try {
      const { stdout } = await run('unshare', ['-rn', node, here('real/whole.ts'), claude, node, ...places, directory], {
        timeout: 280_000,
      })
      const { told, files, hosts, verified, restored } = JSON.parse(stdout) as Whole
      expect([files.observed, hosts[0]]).toEqual([
        ['made.txt'],
        expect.objectContaining({ mode: 'observe', calls: 2, wouldHave: 1 }),
      ])
      expect([told.enforced?.at(-1), files.enforced?.includes('made.txt')]).toEqual([
        expect.stringContaining('Waiting for approval'),
        false,
      ])
      expect([told.killed?.at(-1), files.killed?.includes('made.txt')]).toEqual([expect.stringContaining('ECONNREFUSED'), false])
      expect([files.approved?.includes('made.txt'), verified, restored]).toEqual([true, true, true])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  300_000,
)

test('the guide says how the real one is tried', () => {
  expect(readFileSync(here('../../../docs/guide/claude-code.md'), 'utf8')).toContain('TIDEGATE_CLAUDE_CODE')
})
