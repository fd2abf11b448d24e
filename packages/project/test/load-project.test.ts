import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCedarEngine } from '@tidegate/cedar'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfiguration, loadProject } from '../src/index.ts'

const DESK = fileURLToPath(new URL('../../../examples/support-desk', import.meta.url))
const TEMPLATE = fileURLToPath(new URL('../../cli/template', import.meta.url))

const LIMIT = `- name: erased-per-day
  of: calls
  operations: [notebook.note.erase]
  window: 1d
  limits: [{ above: 3, then: deny, reason: "more than three notes erased in a day" }]
`

/** A copy of the template that a test may change, inside the repository's reach so that its tool finds its imports. */
function copy(): string {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-project-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  cpSync(TEMPLATE, root, { recursive: true })
  writeFileSync(join(root, 'tools', 'notebook.ts'), `export { tool } from '${join(TEMPLATE, 'tools', 'notebook.ts')}'\n`)
  edit(root, 'tidegate.yaml', (text) => text.replace(/^profile:.*\n/m, ''))
  return root
}

function edit(root: string, file: string, change: (text: string) => string): void {
  writeFileSync(join(root, file), change(readFileSync(join(root, file), 'utf8')))
}

test('loads the example whole, and its policies make an engine', async () => {
  const project = await loadProject(DESK)
  expect(project.name).toBe('support-desk')
  expect(project.tools.map(({ name }) => name)).toEqual(['desk'])
  expect(project.operations.length).toBeGreaterThan(5)
  expect(project.workflows.map(({ file, workflow, usesModel }) => [file, workflow.name, usesModel])).toEqual([
    ['workflows/support-billing.yaml', 'support-billing', false],
  ])
  expect(project.withoutModel).toEqual(['support-agent'])
  expect(project.policyFiles.map(({ file, layer }) => `${layer} ${file}`)).toContain('project policies/money.cedar')
  expect(createCedarEngine({ policies: project.policyFiles, schema: project.schema }).version).toMatch(/^[0-9a-f]{64}$/)
})

test('what is built in is part of what policies may speak of', async () => {
  const { operations } = await loadProject(DESK)
  const [operation] = operations
  if (operation === undefined) throw new Error('no operation')
  const apply = { ...operation, id: 'tidegate.policy.apply', tool: 'tidegate' }
  const text =
    '@id("apply") permit (principal == Agent::"change", action == Action::"tidegate.policy.apply", resource == Tool::"tidegate");'
  const builtin = {
    operations: [apply],
    workflows: [{ name: 'change', agent: 'change' }],
    policies: [{ file: 'built in', text }],
  }
  const project = await loadProject(DESK, { builtin })
  expect(project.policyFiles.at(-1)).toMatchObject({ file: 'built in', layer: 'builtin' })
  expect(project.operations).not.toContain(apply)
  expect(() => createCedarEngine({ policies: project.policyFiles, schema: project.schema })).not.toThrow()
})

test('a profile is enough to begin with; without policies nothing is permitted, and that is said', () => {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-project-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const least =
    'name: least\ntrustDomain: least.example\nenvironment: development\npeople: [{ id: user:ann, roles: [operator] }]\n'
  writeFileSync(join(root, 'tidegate.yaml'), `${least}profile: balanced\n`)
  expect(loadConfiguration(root)).toMatchObject({ profile: 'balanced', policies: [], tools: [], workflows: [] })
  writeFileSync(join(root, 'tidegate.yaml'), least)
  expect(() => loadConfiguration(root)).toThrow(
    /Nothing is permitted without policies\. Name some, or a profile: `profile: balanced`\./,
  )
})

test('profile, time zone and reviewers have defaults, and are read', () => {
  const root = copy()
  expect(loadConfiguration(root)).toMatchObject({ timeZone: 'UTC' })
  expect(loadConfiguration(root).profile).toBeUndefined()
  edit(
    root,
    'tidegate.yaml',
    (text) => `${text}\nprofile: strict\ntimeZone: Europe/Berlin\nchanges: { reviewers: ["role:owner x2"] }\n`,
  )
  expect(loadConfiguration(root)).toMatchObject({
    profile: 'strict',
    timeZone: 'Europe/Berlin',
    changes: { reviewers: [{ role: 'owner', count: 2 }] },
  })
})

test.each([
  ['profile: strickt', 'configuration_invalid', 'Did you mean "strict"'],
  ['timeZone: Mars/Olympus', 'configuration_invalid', 'Expected a time zone'],
  ['changes: { reviewers: [owner] }', 'configuration_invalid', 'Expected role: and a name'],
  ['changes: { reviewers: ["role:a x1, role:b"] }', 'configuration_invalid', 'Expected role: and a name'],
  ['changes: { reviewers: [] }', 'configuration_invalid', 'changes.reviewers'],
])('%s is refused', async (line, code, message) => {
  const root = copy()
  edit(root, 'tidegate.yaml', (text) => `${text}\n${line}\n`)
  await expect(loadProject(root)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
})

test('limits become meters that policies can read, and policies that hold to them', async () => {
  const root = copy()
  mkdirSync(join(root, 'limits'))
  edit(root, 'tidegate.yaml', (text) => `${text}\nlimits: [limits/*.yaml]\n`)
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'configuration_invalid' })
  writeFileSync(join(root, 'limits', 'a.yaml'), LIMIT)
  const project = await loadProject(root)
  expect(project.meters.map(({ name }) => name)).toEqual(['erased-per-day'])
  expect(project.schema.meters).toContain('erased_per_day')
  expect(project.policyFiles.filter(({ layer }) => layer === 'limits')).toMatchObject([{ file: 'limits/erased-per-day' }])
  expect(() => createCedarEngine({ policies: project.policyFiles, schema: project.schema })).not.toThrow()
  writeFileSync(join(root, 'limits', 'a.yaml'), LIMIT.replace('note.erase', 'note.eraze'))
  await expect(loadProject(root)).rejects.toMatchObject({
    code: 'limits_invalid',
    message: expect.stringContaining('limits/a.yaml:') as string,
  })
})

test('names that are taken twice are refused with the files that take them', async () => {
  const root = copy()
  cpSync(join(root, 'workflows', 'take-note.yaml'), join(root, 'workflows', 'zz.yaml'))
  await expect(loadProject(root)).rejects.toMatchObject({
    code: 'workflow_invalid',
    message: expect.stringContaining('workflows/zz.yaml:1:1: workflows/take-note.yaml has the name') as string,
  })
  rmSync(join(root, 'workflows', 'zz.yaml'))
  edit(root, 'tidegate.yaml', (text) => text.replace('  - file: tools/notebook.ts', '$&\n$&'))
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'tool_unusable' })
})

test('policy files must be text, and there', async () => {
  const root = copy()
  writeFileSync(join(root, 'policies', 'zz.cedar'), Buffer.from([0x2f, 0x2f, 0xff, 0x0a]))
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'policy_invalid' })
  writeFileSync(join(root, 'policies', 'zz.cedar'), '/'.repeat(300_000))
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'policy_invalid' })
  rmSync(join(root, 'policies'), { recursive: true })
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'configuration_invalid' })
  rmSync(join(root, 'tidegate.yaml'))
  await expect(loadProject(root)).rejects.toMatchObject({ code: 'project_missing' })
})
