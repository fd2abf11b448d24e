import { fileURLToPath } from 'node:url'
import { createCedarEngine } from '@tidegate/cedar'
import { expect, test } from 'vitest'
import { openProject } from '../src/open-project.ts'

const DESK = fileURLToPath(new URL('../../../examples/support-desk', import.meta.url))

test('policies may speak of what is built in, as on the server', async () => {
  const { policyFiles, schema } = await openProject(DESK)
  expect(policyFiles.filter(({ layer }) => layer === 'builtin').length).toBeGreaterThan(0)
  const text = `@id("no-change-at-weekends") @reason("not at weekends")
forbid (principal == Agent::"tidegate", action in [Action::"tidegate.policy.apply", Action::"tidegate.tool.accept", Action::"tidegate.access.grant"], resource)
when { context.weekday > 5 };`
  expect(() => createCedarEngine({ policies: [...policyFiles, { file: 'x.cedar', text }], schema })).not.toThrow()
})

test('another profile brings other policies', async () => {
  const of = async (profile?: string) =>
    (await openProject(DESK, profile)).policyFiles.filter(({ layer }) => layer === 'profile').map(({ file }) => file)
  expect(await of()).toEqual([])
  expect(await of('strict')).toContain('profiles/strict/risk.cedar')
  await expect(openProject(DESK, 'strickt')).rejects.toMatchObject({ code: 'configuration_invalid' })
})
