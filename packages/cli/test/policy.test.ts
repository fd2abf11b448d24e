import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { cli, type CliRun } from './cli-run.ts'

const DESK = fileURLToPath(new URL('../../../examples/support-desk', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'tidegate-policy-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The example without its service, for a test that changes its policies. */
function copy(name: string): string {
  const project = join(root, name)
  cpSync(DESK, project, { recursive: true, filter: (path) => !/node_modules|\.tidegate|service/.test(path) })
  writeFileSync(join(project, 'tools', 'desk.ts'), `export { tool } from '${join(DESK, 'tools', 'desk.ts')}'\n`)
  return project
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

const jsonOf = (run: CliRun) => JSON.parse(run.stdout) as Readonly<Record<string, unknown>>

describe('policy test', () => {
  test('passes, fails, misses coverage, and cannot run: 0, 100, 100 and 1', async () => {
    const project = copy('test')
    const policies = join(project, 'policies')
    const run = (...args: readonly string[]) => cli(['policy', 'test', '--project', project, ...args])
    const fine = await run('--coverage', '--json')
    expect([fine.code, fine.stderr]).toEqual([0, ''])
    expect(jsonOf(fine)).toMatchObject({ failed: 0, uncovered: [] })
    edit(join(policies, 'money.test.yaml'), 'amountMinor: 2001', 'amountMinor: 1999')
    const failed = await run()
    expect(failed.code).toBe(100)
    expect(failed.stdout).toMatch(/failed policies\/money\.test\.yaml:\d+: 20\.01 is not\n {2}expected deny, decided allow/)
    const few = await run('--coverage', join(policies, 'reach.test.yaml'))
    expect([few.code, /No case exercises:\n {2}policies\/autonomy\.cedar:\d+: /.test(few.stdout)]).toEqual([100, true])
    expect((await run(join(policies, 'reach.test.yaml'))).code).toBe(0)
    edit(join(policies, 'risk.cedar'), 'context.risk == "critical"', 'context.risk == "critcal"')
    const broken = await run('--json')
    expect([broken.code, jsonOf(broken).code]).toEqual([1, 'policy_vocabulary'])
  })

  test('cases that are not there, or not understood', async () => {
    const project = copy('none')
    for (const name of readdirSync(join(project, 'policies'))) if (name.endsWith('.yaml')) rmSync(join(project, 'policies', name))
    const none = await cli(['policy', 'test', '--project', project, '--json'])
    expect([none.code, jsonOf(none).code]).toEqual([3, 'cases_missing'])
    const profile = await cli(['policy', 'test', '--project', project, '--profile', 'strickt', '--json'])
    expect([profile.code, jsonOf(profile).code]).toEqual([1, 'configuration_invalid'])
  })
})

test('policy lint fails for errors, and with --strict for warnings', async () => {
  const project = copy('lint')
  const lint = (...args: readonly string[]) => cli(['policy', 'lint', '--project', project, ...args])
  expect((await lint('--strict')).code).toBe(0)
  writeFileSync(join(project, 'policies', 'extra.cedar'), '@id("x") permit (principal, action, resource);\n')
  const warned = await lint()
  expect([warned.code, (await lint('--strict')).code]).toEqual([0, 1])
  expect(warned.stdout).toContain('policies/extra.cedar:1:1: warning: x: say in @reason why')
  edit(join(project, 'policies', 'reach.cedar'), 'role:privacy', 'role:nobody')
  const wrong = await lint('--json')
  expect(wrong.code).toBe(1)
  const { findings } = jsonOf(wrong) as { findings: readonly { rule: string; policy: string; severity: string }[] }
  expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { rule: 'unanswerable-ask', policy: 'regulated-asks' },
  ])
})

test('policy plan compares with another directory, and fails for policies that do not load', async () => {
  const project = copy('plan')
  const plan = (...args: readonly string[]) => cli(['policy', 'plan', '--project', project, '--against', DESK, ...args])
  const same = await plan()
  expect([same.code, same.stdout.includes('0 to add, 0 to change, 0 to remove, 20 as before')]).toEqual([0, true])
  edit(join(project, 'policies', 'autonomy.cedar'), 'context.attempts >= 3', 'context.attempts >= 5')
  const looser = await plan('--json')
  expect(looser.code).toBe(0)
  const { diff, decisions } = jsonOf(looser) as { diff: { changed: unknown }; decisions: { changes: readonly unknown[] } }
  expect(diff.changed).toMatchObject([{ id: 'third-failure-asks', changes: [{ aspect: 'condition' }] }])
  expect(decisions.changes[0]).toMatchObject({ before: 'ask', after: 'allow', example: { facts: { attempts: 4 } } })
  edit(join(project, 'policies', 'autonomy.cedar'), 'context.attempts >= 5', 'context.atempts >= 5')
  const broken = await plan()
  expect([broken.code, broken.stdout.includes('Decisions are not compared')]).toEqual([1, true])
  expect((await plan('--samples', '0')).code).toBe(2)
})

test('a plan reads as the guide shows it', async () => {
  const against = join(root, 'against')
  cpSync(join(DESK, 'policies'), against, { recursive: true })
  edit(join(against, 'autonomy.cedar'), 'context.confidence < 9000', 'context.confidence < 9500')
  const { stdout } = await cli(['policy', 'plan', '--project', DESK, '--against', against])
  const guide = readFileSync(fileURLToPath(new URL('../../../docs/guide/policy-testing.md', import.meta.url)), 'utf8')
  expect(guide).toContain(`\n${stdout}`)
})

test("policy authorize decides Cedar's own files, with the exit codes of Cedar", async () => {
  const folder = join(root, 'cedar')
  mkdirSync(folder)
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const schema = 'entity User, Photo; action view appliesTo { principal: User, resource: Photo, context: { n: Long } };'
  const request = (n: unknown) =>
    JSON.stringify({ principal: 'User::"a"', action: 'Action::"view"', resource: 'Photo::"p"', context: { n } })
  const files = (context: unknown) => [
    ...[
      '--policies',
      file(
        'p.cedar',
        'permit (principal, action, resource) when { context.n < 3 };\nforbid (principal, action, resource) when { context.n * 9000000000000000000 > 100 };',
      ),
    ],
    ...[
      '--entities',
      file('e.json', '[]'),
      '--schema',
      file('s.cedarschema', schema),
      '--request',
      file('r.json', request(context)),
    ],
  ]
  const run = (context: unknown, ...args: readonly string[]) => cli(['policy', 'authorize', ...files(context), ...args])
  const allowed = await run(0)
  expect([allowed.code, allowed.stdout.split('\n')[0]]).toEqual([0, 'ALLOW'])
  expect((await run(5)).code).toBe(2)
  const skipped = await run(2, '--json')
  expect([skipped.code, jsonOf(skipped)]).toMatchObject([
    0,
    { decision: 'allow', tidegate: 'deny', errors: [{ id: expect.any(String) as string }] },
  ])
  expect((await run('two')).code).toBe(1)
  const missing = await cli([
    'policy',
    'authorize',
    '--policies',
    'none.cedar',
    '--entities',
    'none.json',
    '--request',
    'none.json',
    '--json',
  ])
  expect([missing.code, jsonOf(missing).code]).toEqual([1, 'file_unusable'])
})

test('policy conformance says what is no suite', async () => {
  const run = await cli(['policy', 'conformance', root, '--json'])
  expect([run.code, jsonOf(run).code]).toEqual([1, 'conformance_suite'])
})

test.each([[['--max-asr', '101']], [['--max-asr', 'x']], [['--scope', 'all']]])(
  'evals adversary %j is not understood',
  async (args) => {
    const run = await cli(['evals', 'adversary', '--suite', root, '--manifest', root, ...args, '--json'])
    expect([run.code, jsonOf(run).code]).toEqual([2, 'usage_invalid'])
  },
)

test('evals adversary prints a row for each suite, and fails for a threshold that does not hold', async () => {
  const suites = fileURLToPath(new URL('../../evals/test/suites/', import.meta.url))
  const run = (...args: readonly string[]) =>
    cli(['evals', 'adversary', '--suite', suites, '--manifest', `${suites}office.manifest.yaml`, ...args])
  const table = await run('--max-asr', '0')
  expect([table.code, /^office {2,}0\/\d+/m.test(table.stdout)]).toEqual([0, true])
  const failed = await run('--min-automation', '100', '--json')
  expect([failed.code, jsonOf(failed).exceeded]).toEqual([100, [expect.stringContaining('without a question')]])
})

test('evals adversary says that there is no suite', async () => {
  const run = await cli(['evals', 'adversary', '--suite', root, '--manifest', root, '--json'])
  expect([run.code, typeof jsonOf(run).code]).toEqual([1, 'string'])
  expect(jsonOf(run).code).not.toBe('internal_error')
})
