import { expect, test } from 'vitest'
import { withExceptions } from '../src/policy-exceptions.ts'
import { readProfile } from '../src/policy-files.ts'

const FILES = readProfile('balanced')
const OPERATIONS = ['shell.exec', 'shell.look', 'desk.read']
const except = (policy: string, operations: readonly string[]) =>
  withExceptions(FILES, [{ policy, operations: [...operations], why: 'seen' }], OPERATIONS)

test('a policy gets one more unless, and everything else stays', () => {
  const text = except('balanced.irreversible-asks', ['shell.*'])
    .map((file) => file.text)
    .join('')
  const before = FILES.map((file) => file.text).join('')
  expect(text).toContain('unless { action in [Action::"shell.exec", Action::"shell.look"] };')
  expect(text.replace('\nunless { action in [Action::"shell.exec", Action::"shell.look"] }', '')).toBe(before)
  expect(text.indexOf('unless { action in')).toBeGreaterThan(text.indexOf('balanced.irreversible-asks'))
})

test('a semicolon in a reason or a comment ends nothing', () => {
  const file = {
    file: 'p',
    layer: 'profile' as const,
    text: '@id("p") @reason("a; \\" b") // c; d\nforbid (principal, action, resource);\n',
  }
  const [made] = withExceptions([file], [{ policy: 'p', operations: ['desk.read'], why: 'x' }], OPERATIONS)
  expect(made?.text).toMatch(/resource\)\nunless \{ action in \[Action::"desk.read"\] \};\n$/)
})

test.each([
  ['balanced.irreversible', ['shell.exec'], /has no policy "balanced.irreversible". Did you mean "balanced.irreversible-asks"/],
  ['balanced.low-runs', ['shell.exec'], /permits/],
  ['balanced.irreversible-asks', ['shell.exce'], /no operation fits "shell.exce". Did you mean "shell.exec"/],
])('%s for %s is refused', (policy, operations, message) => {
  expect(() => except(policy, operations)).toThrow(message)
})
