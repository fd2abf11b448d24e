import { expect, test } from 'vitest'
import { type AnalysisContext, analyse, isCautious } from '../src/analysis/index.ts'
import { fill, readBypasses, readOrdinary } from './corpus.ts'

const CONTEXT: AnalysisContext = {
  cwd: '/projects/ws',
  workspace: '/projects/ws',
  home: '/home/op',
  env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/op', LANG: 'C.UTF-8', USER: 'op' },
}
const PLACES = { host: '192.0.2.1', port: 8443, secret: '/etc/vault/secret', outside: '/srv/out/made', home: '/home/op' }

const bypasses = readBypasses()
const ordinary = readOrdinary()

test('the corpus is what it says it is', () => {
  expect(bypasses.length).toBeGreaterThanOrEqual(300)
  expect(ordinary.length).toBeGreaterThanOrEqual(150)
  expect(new Set([...bypasses, ...ordinary].map(({ id }) => id)).size).toBe(bypasses.length + ordinary.length)
  expect(new Set(bypasses.map(({ command }) => command)).size).toBe(bypasses.length)
  for (const { command } of bypasses) expect(fill(command, PLACES)).not.toMatch(/\{\{[A-Z]+\}\}|\{\{\w+:/)
})

test('at least 95 of 100 bypasses are seen to be more than ordinary', () => {
  const missed = bypasses.filter(({ command }) => !isCautious(analyse(fill(command, PLACES), CONTEXT))).map(({ id }) => id)
  // All are, today. The list is empty so that a change which loses one says which.
  expect(missed).toEqual([])
})

test('at most 5 of 100 ordinary commands are taken for more', () => {
  const own = ordinary.filter(({ needs }) => needs === undefined)
  const asked = own.filter(({ command }) => isCautious(analyse(command, CONTEXT))).map(({ command }) => command)
  expect(asked.length / own.length, asked.join('\n')).toBeLessThanOrEqual(0.05)
})

test('what needs the network or a container is never taken for ordinary', () => {
  const passed = ordinary.filter(({ needs, command }) => needs !== undefined && !isCautious(analyse(command, CONTEXT)))
  expect(passed).toEqual([])
})
