import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setStage, type Stage } from '../src/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const WORKFLOW = 'workflows/support-billing.yaml'

const cases: readonly {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly says: RegExp
}[] = [
  {
    what: 'broken YAML',
    file: 'tidegate.yaml',
    from: 'people:\n',
    to: 'people: [\n',
    says: /configuration_invalid: .*\ntidegate\.yaml:\d+:\d+: /s,
  },
  {
    what: 'an unknown key',
    file: 'tidegate.yaml',
    from: 'environment:',
    to: 'enviroment:',
    says: /tidegate\.yaml:3:1: .*Did you mean "environment"/s,
  },
  {
    what: 'a key twice',
    file: 'tidegate.yaml',
    from: 'environment: production',
    to: 'environment: production\nenvironment: staging',
    says: /tidegate\.yaml:4:\d+: /,
  },
  {
    what: 'a role that cannot be one',
    file: 'tidegate.yaml',
    from: 'roles: [operator]',
    to: 'roles: [Operator!]',
    says: /tidegate\.yaml:9:\d+: /,
  },
  {
    what: 'a secret in the open',
    file: 'tidegate.yaml',
    from: '{ file: .secret/desk.token }',
    to: 'hunter2hunter2',
    says: /tidegate\.yaml:\d+:\d+: .*a secret never stands in the configuration itself/s,
  },
  {
    what: 'broken YAML in a workflow',
    file: WORKFLOW,
    from: 'graph:\n',
    to: 'graph: {\n',
    says: /workflow_invalid: .*\nworkflows\/support-billing\.yaml:\d+:\d+: /s,
  },
  {
    what: 'an unknown key in a workflow',
    file: WORKFLOW,
    from: 'stage: 3',
    to: 'stge: 3',
    says: /support-billing\.yaml:\d+:1: .*Did you mean "stage"/s,
  },
  {
    what: 'a misspelt operation',
    file: WORKFLOW,
    from: 'id: desk.refund.small,',
    to: 'id: desk.refund.smal,',
    says: /support-billing\.yaml:\d+:\d+: .*Did you mean "desk\.refund\.small"/s,
  },
  {
    what: 'a misspelt node',
    file: WORKFLOW,
    from: 'next: read-customer }',
    to: 'next: read-custmer }',
    says: /support-billing\.yaml:\d+:\d+: .*Did you mean "read-customer"/s,
  },
  {
    what: 'a policy that does not parse',
    file: 'policies/risk.cedar',
    from: 'permit (principal',
    to: 'permt (principal',
    says: /policies\/risk\.cedar:\d+:\d+/,
  },
  {
    what: 'a policy about an operation that is not there',
    file: 'policies/money.cedar',
    from: 'desk.refund.create',
    to: 'desk.refund.crate',
    says: /policies\/money\.cedar:\d+:\d+.*desk\.refund\.create/s,
  },
  {
    what: 'a tool that is not there',
    file: 'tidegate.yaml',
    from: 'tools/desk.ts',
    to: 'tools/dask.ts',
    says: /tool_unusable: The tool .*dask\.ts cannot be loaded/,
  },
  {
    what: 'a tool with a setting that it does not know',
    file: 'tidegate.yaml',
    from: 'baseUrl:',
    to: 'baseUri:',
    says: /baseUr[il]/,
  },
]

test.each(cases)('$what: the server names the place and the cure, and ends with 1', async ({ file, from, to, says }) => {
  const path = join(stage.project, file)
  const good = readFileSync(path, 'utf8')
  expect(good).toContain(from)
  writeFileSync(path, good.replace(from, to))
  const { code, stderr } = await stage.launch().ended
  writeFileSync(path, good)
  expect([code, stderr]).toEqual([1, expect.stringMatching(says)])
  expect(stderr).not.toMatch(/hunter2|\n\s+at /)
})
