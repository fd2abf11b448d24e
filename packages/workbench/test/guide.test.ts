import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadProject } from '@tidegate/project'
import { expect, onTestFinished, test } from 'vitest'
import { lintProject, LINT_RULES, planProject, testProject } from '../src/index.ts'

// What the guide says of testing policies is so, and the projects that come with Tidegate do it.

const PAGE = readFileSync(new URL('../../../docs/guide/policy-testing.md', import.meta.url), 'utf8')
const pathOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const DESK = pathOf('examples/support-desk')
const TEMPLATE = pathOf('packages/cli/template')

function directory(): string {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-guide-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  return root
}

function blocks(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`^\`{3}${language}\\n(.*?)^\`{3}$`, 'gms'))].map(([, block]) => block ?? '')
}

test.each([
  ['the example', DESK],
  ['a new project', TEMPLATE],
])('%s is covered by its cases, and the lint has nothing to say', async (_what, project) => {
  const report = await testProject(project, { files: [], cwd: project })
  expect(report.cases.filter(({ passed }) => !passed)).toEqual([])
  expect(report.policies).toBeGreaterThan(0)
  expect(report.uncovered).toEqual([])
  expect((await lintProject(project)).findings).toEqual([])
})

test('taking a policy away is noticed by the cases of the example', async () => {
  const { policyFiles } = await loadProject(DESK)
  const root = directory()
  cpSync(DESK, root, { recursive: true, filter: (path) => !/node_modules|\.tidegate/.test(path) })
  writeFileSync(join(root, 'tools', 'desk.ts'), `export { tool } from '${join(DESK, 'tools', 'desk.ts')}'\n`)
  const [file] = policyFiles.filter(({ text }) => text.includes('@id("money-on-third-party-text")'))
  if (file === undefined) throw new Error('the example has that policy')
  writeFileSync(
    join(root, file.file),
    file.text.replace('context.origins.contains("third-party")', 'context.origins.containsAll(["third-party", "model"])'),
  )
  const { failed } = await testProject(root, { files: [], cwd: root })
  expect(failed).toBeGreaterThan(0)
})

test('the cases of the guide pass', async () => {
  const [text = ''] = blocks('yaml')
  const file = join(directory(), 'guide.test.yaml')
  writeFileSync(file, text)
  const { cases, failed } = await testProject(DESK, { files: [file], cwd: DESK })
  expect([cases.length, failed]).toEqual([3, 0])
})

test('the mistake that the guide shows is reported as the guide shows it', async () => {
  const [yaml = '', mistake = ''] = [blocks('yaml')[0], blocks('text')[0]]
  const [where = '', message = ''] = [/cases\[\d+\]\S*/.exec(mistake)?.[0], mistake.trim().split(': ').slice(2).join(': ')]
  const file = join(directory(), 'money.test.yaml')
  writeFileSync(file, yaml.replace('arguments: { invoiceId', 'context: { confidense: 9000 }\n    arguments: { invoiceId'))
  const asked = testProject(DESK, { files: [file], cwd: DESK })
  await expect(asked).rejects.toMatchObject({
    code: 'cases_invalid',
    message: expect.stringContaining(`:8:16: ${where} ${message}`) as string,
  })
})

test('the guide explains every finding of the lint, and no other', () => {
  const explained = [...PAGE.matchAll(/^\| `([a-z-]+)` \| (?:error|warning|info) \|/gm)].map(([, rule]) => rule)
  expect(explained.toSorted()).toEqual(LINT_RULES.toSorted())
})

test('a change of one bound is planned as the guide says', async () => {
  const { policyFiles } = await loadProject(DESK)
  const against = directory()
  for (const { file, text } of policyFiles)
    writeFileSync(join(against, file.replace('/', '-')), text.replace('context.confidence < 9000', 'context.confidence < 9500'))
  const { diff, decisions, lint } = await planProject(DESK, { against, samples: 100_000 })
  expect([diff.added, diff.removed, diff.changed.length, diff.unchanged, lint.findings]).toEqual([[], [], 1, 19, []])
  expect(diff.changed[0]?.changes.map(({ aspect }) => aspect)).toEqual(['condition'])
  expect(decisions?.exhaustive).toBe(true)
  const reply = decisions?.changes.find(({ operation }) => operation === 'desk.reply.send')
  expect(reply).toMatchObject({
    before: 'dry_run',
    after: 'allow',
    example: { facts: { confidence: 9499 }, policiesAfter: ['low-runs'] },
  })
  expect(decisions?.changes.every(({ before }) => before !== 'allow')).toBe(true)
})

test('a directory without policies is refused', async () => {
  await expect(planProject(DESK, { against: directory(), samples: 1 })).rejects.toMatchObject({ code: 'policies_missing' })
})
