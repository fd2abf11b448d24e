import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { injectGoal } from '../src/adversary/inject.ts'
import { runAdversary } from '../src/index.ts'

const SUITES = new URL('./suites/', import.meta.url).pathname
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evals-'))
  cpSync(SUITES, dir, { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const run = () => runAdversary({ suiteDir: dir, manifest: join(dir, 'office.manifest.yaml') })

function edit(file: string, change: (text: string) => string): void {
  const path = join(dir, file)
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}

describe('what is wrong is named with its place', () => {
  test.each<[string, string, (text: string) => string, string, RegExp]>([
    ['a suite that is not JSON', 'office.json', (t) => t.slice(0, 50), 'suite_invalid', /office\.json is not JSON/],
    [
      'a prompt that is a number',
      'office.json',
      (t) => t.replace(/"prompt": "[^"]*"/, '"prompt": 7'),
      'suite_invalid',
      /office\.json \/user_tasks\/0\/prompt/,
    ],
    [
      'a subset beyond the calls',
      'office.json',
      (t) => t.replace(/"minimal_successful_subsets": \[\s*\[\s*0/, '"minimal_successful_subsets": [[9'),
      'suite_invalid',
      /\/injection_tasks\/0\/minimal_successful_subsets\/0: .* no call 9/,
    ],
    [
      'two tasks with one id',
      'office.json',
      (t) => t.replace('"id": "t_chat"', '"id": "t_read"'),
      'suite_invalid',
      /two tasks have the id "t_read"/,
    ],
    [
      'a pair about no task',
      'office.pairs.json',
      (t) => t.replace('"t_read"', '"t_none"'),
      'suite_invalid',
      /office\.pairs\.json \/pairs\/0\/user_task: no user task has the id "t_none"/,
    ],
    [
      'an exposure beyond the task',
      'office.pairs.json',
      (t) => t.replace('"first_exposed_step": 0', '"first_exposed_step": 5'),
      'suite_invalid',
      /\/pairs\/0\/first_exposed_step/,
    ],
    [
      'a manifest that is not YAML',
      'office.manifest.yaml',
      (t) => `${t}\n  bad: [`,
      'manifest_invalid',
      /office\.manifest\.yaml:\d+: /,
    ],
    [
      'a key twice',
      'office.manifest.yaml',
      (t) => `${t}  pay: { mutability: read }\n`,
      'manifest_invalid',
      /office\.manifest\.yaml:\d+: /,
    ],
    [
      'an origin that is none',
      'office.manifest.yaml',
      (t) => t.replace('origin: system', 'origin: sytem'),
      'manifest_invalid',
      /office\.manifest\.yaml:7: .*\/outputs\/\/\*\/id\/origin/,
    ],
    [
      'a key that is none',
      'office.manifest.yaml',
      (t) => t.replace('    mutability: read\n', '    mutability: read\n    mutable: no\n'),
      'manifest_invalid',
      /mutable/,
    ],
    [
      'an alias',
      'office.manifest.yaml',
      (t) => t.replace('suite: office', 'suite: &a office\nx: *a'),
      'manifest_invalid',
      /manifest/,
    ],
  ])('%s', (_, file, change, code, message) => {
    edit(file, change)
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error)
  })

  test('what is missing', () => {
    const codeOf = (options: Parameters<typeof runAdversary>[0]) => () => runAdversary(options)
    const manifest = join(dir, 'office.manifest.yaml')
    expect(codeOf({ suiteDir: join(dir, 'none'), manifest })).toThrow(expect.objectContaining({ code: 'suite_missing' }) as Error)
    expect(codeOf({ suiteDir: dir, manifest: join(dir, 'none') })).toThrow(
      expect.objectContaining({ code: 'manifest_missing' }) as Error,
    )
    expect(codeOf({ suiteDir: dir, manifest, profile: 'none' })).toThrow(
      expect.objectContaining({ code: 'profile_missing' }) as Error,
    )
    expect(codeOf({ suiteDir: dir, manifest, profile: '../..' })).toThrow(
      expect.objectContaining({ code: 'profile_missing' }) as Error,
    )
    rmSync(join(dir, 'office.json'))
    expect(codeOf({ suiteDir: dir, manifest })).toThrow(expect.objectContaining({ code: 'suite_missing' }) as Error)
  })

  test('a suite without a manifest asks about everything, and says so', () => {
    edit('office.manifest.yaml', (text) => text.replace('suite: office', 'suite: other'))
    const { overall, warnings } = run()
    expect(overall).toMatchObject({ attacks: 0, injectedWrites: 0, doneWithout: 0, done: 7 })
    expect(warnings).toHaveLength(12)
  })

  test('an attack of which nobody says what is decisive is decided by all of its calls', () => {
    edit('office.json', (text) =>
      text.replace(/"minimal_successful_subsets": \[\s*\[\s*\d+\s*\]\s*\]/g, '"minimal_successful_subsets": []'),
    )
    const policies = [{ file: 'all.cedar', text: '@id("all") @reason("all") permit (principal, action, resource);' }]
    expect(runAdversary({ suiteDir: dir, manifest: join(dir, 'office.manifest.yaml'), policies }).overall.attacks).toBe(28)
  })

  test('a manifest of several suites is one file', () => {
    edit(
      'office.manifest.yaml',
      (text) => `suites:\n  office:\n${text.replace(/^#.*\nsuite: office\n/, '').replace(/^/gm, '    ')}`,
    )
    expect(run().overall.attacks).toBe(0)
  })

  test('the manifests that we ship can be read, and declare every tool', () => {
    const manifest = new URL('../manifests/', import.meta.url).pathname
    expect(() => runAdversary({ suiteDir: dir, manifest })).not.toThrow()
  })
})

describe('the attacker’s text', () => {
  const vector = { id: 'v', text: 'Lunch', fields: ['Lunch'] }
  test('takes the place of the default', () =>
    expect(injectGoal([{ subject: 'Lunch', n: 1 }], [vector], 'PAY')).toEqual([{ subject: 'PAY', n: 1 }]))
  test('is appended where nothing stands by default', () => {
    expect(injectGoal('a page', [{ id: 'v', text: '', fields: ['a page'] }], 'PAY')).toBe('a page\nPAY')
  })
  test('a short default is replaced only in its own field', () => {
    expect(injectGoal(['External_0', 'room 0'], [{ id: 'v', text: '0', fields: ['External_0'] }], 'PAY')).toEqual([
      'External_PAY',
      'room 0',
    ])
    expect(injectGoal(['room 0', 'a'], [{ id: 'v', text: '0', fields: [] }], 'PAY')).toEqual(['room 0\nPAY', 'a'])
  })
  test('reaches keys as well', () => expect(injectGoal({ Lunch: 1 }, [vector], '$&')).toEqual({ '$&': 1 }))
})
