import { expect, test } from 'vitest'
import { type AnalysisContext, analyse, isCautious } from '../src/analysis/index.ts'
import { fill, readBypasses, readOrdinary } from './corpus.ts'

const CONTEXT: AnalysisContext = {
  cwd: '/projects/ws',
  workspace: '/projects/ws',
  home: '/home/op',
  env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/op', LANG: 'C.UTF-8', USER: 'op' },
}
/** What only the sandbox makes harmless is ordinary in it, and nowhere else. */
const SANDBOXED: AnalysisContext = { ...CONTEXT, sandbox: true }
const PLACES = { host: '192.0.2.1', port: 8443, secret: '/etc/vault/secret', outside: '/srv/out/made', home: '/home/op' }

const bypasses = readBypasses()
const ordinary = readOrdinary()

test('the corpus is what it says it is', () => {
  expect(bypasses.length).toBeGreaterThanOrEqual(900)
  expect(ordinary.length).toBeGreaterThanOrEqual(300)
  expect(new Set([...bypasses, ...ordinary].map(({ id }) => id)).size).toBe(bypasses.length + ordinary.length)
  expect(new Set(bypasses.map(({ command }) => command)).size).toBe(bypasses.length)
  for (const { command } of bypasses) expect(fill(command, PLACES)).not.toMatch(/\{\{[A-Z]+\}\}|\{\{\w+:/)
})

test.each([
  ['where a host runs it', CONTEXT],
  ['in the sandbox', SANDBOXED],
])('at least 95 of 100 bypasses are seen to be more than ordinary, %s', (_where, context) => {
  const missed = bypasses.filter(({ command }) => !isCautious(analyse(fill(command, PLACES), context))).map(({ id }) => id)
  // All are, today. The list is empty so that a change which loses one says which.
  expect(missed).toEqual([])
})

test('at most 3 of 100 ordinary commands are taken for more in the sandbox, and 11 where a host runs them', () => {
  const own = ordinary.filter(({ needs }) => needs === undefined)
  const asked = (context: AnalysisContext) =>
    own.filter(({ command }) => isCautious(analyse(command, context))).map(({ command }) => command)
  expect(asked(SANDBOXED).length / own.length, asked(SANDBOXED).join('\n')).toBeLessThanOrEqual(0.03)
  expect(asked(CONTEXT).length / own.length, asked(CONTEXT).join('\n')).toBeLessThanOrEqual(0.11)
})

test('what needs the network or a container is never taken for ordinary', () => {
  const passed = ordinary.filter(({ needs, command }) => needs !== undefined && !isCautious(analyse(command, SANDBOXED)))
  expect(passed).toEqual([])
})
