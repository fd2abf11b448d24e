import { expect, test } from 'vitest'
import type { ConnectorCall } from '@tidegate/kernel'
import { createSecretScope } from '../src/secret-scope.ts'

test('I8: of two secrets of which one begins with the other, nothing is left in a message', async () => {
  const secrets: Readonly<Record<string, string>> = { short: 'tok-12345', long: 'tok-12345-and-more' }
  const call: ConnectorCall = {
    operation: 'box.poke',
    arguments: {},
    session: 's',
    effectId: 'run.0',
    attempt: 1,
    timeoutMs: 1_000,
    secret: async (name) => secrets[name] ?? '',
  }
  const scope = createSecretScope(call, ['short', 'long'])
  await scope.secret('short')
  await scope.secret('long')
  expect(scope.clean(`refused: ${secrets.long} and ${secrets.short}`)).toBe('refused: [secret] and [secret]')
})
