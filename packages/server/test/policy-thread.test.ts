import { generateSchema } from '@tidegate/cedar'
import { expect, test } from 'vitest'
import { createPolicyChecker } from '../src/policy-thread.ts'

const schema = generateSchema([{ id: 'desk.set', tool: 'desk' }], [{ name: 'w', agent: 'a' }])
const SOUND = { file: 'a.cedar', text: '@id("a")\npermit (principal, action == Action::"desk.set", resource);' }
const FAULTY = { file: 'b.cedar', text: '@id("b")\npermit (principal, action == Action::"desk.get", resource);' }

test('a thread finds out what this thread finds out', async () => {
  const here = createPolicyChecker()
  const elsewhere = createPolicyChecker()
  elsewhere.moveToThreads()
  for (const texts of [[SOUND], [FAULTY], [SOUND, FAULTY], []])
    expect(await elsewhere.check(texts, schema)).toEqual(JSON.parse(JSON.stringify(await here.check(texts, schema))))
})

test('what takes too long is refused, and the next one is checked', async () => {
  const checker = createPolicyChecker({ timeoutMs: 1 })
  checker.moveToThreads()
  const answers = await Promise.all([checker.check([SOUND], schema), checker.check([SOUND], schema)])
  expect(answers).toMatchObject([
    { kind: 'faulty', code: 'policy_engine' },
    { kind: 'faulty', code: 'policy_engine' },
  ])
})

test('nobody here waits meanwhile', async () => {
  const checker = createPolicyChecker()
  checker.moveToThreads()
  const text = Array.from({ length: 300 }, (_, i) => SOUND.text.replace('"a"', `"a-${i}"`)).join('\n')
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 5)
  const answer = await checker.check([{ ...SOUND, text }], schema)
  clearInterval(timer)
  expect(answer).toMatchObject({ kind: 'sound', policies: { length: 300 } })
  expect(turns).toBeGreaterThan(5)
})
