import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfiguration, loadEntityPolicy } from '../src/index.ts'

const FIXTURE = fileURLToPath(new URL('../../../examples/authzen-fixture', import.meta.url))

let project = ''
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'tidegate-project-'))
  cpSync(FIXTURE, project, { recursive: true, filter: (path) => !path.endsWith('.tidegate') })
})
afterEach(() => rmSync(project, { recursive: true, force: true }))

/** Loads the fixture with its configuration changed. */
function load(change: (text: string) => string) {
  const file = join(project, 'tidegate.yaml')
  writeFileSync(file, change(readFileSync(file, 'utf8')))
  return loadEntityPolicy(project, loadConfiguration(project))
}

test('the fixture loads, and a project without the section has none', () => {
  expect(load((text) => text)?.entities('user')).toEqual(['alice', 'bob'])
  expect(load((text) => text.slice(0, text.indexOf('authzen:')))).toBeUndefined()
})

test('without entities it decides, and finds nobody', () => {
  expect(load((text) => text.replace(/ {2}entities: .*\n/, ''))?.entities('user')).toEqual([])
})

describe('refused', () => {
  const cases: readonly (readonly [string, string, (text: string) => string])[] = [
    ['policies without a schema', 'configuration_invalid', (text) => text.replace(/ {2}schema: .*\n/, '')],
    ['a schema without policies', 'configuration_invalid', (text) => text.replace(/ {2}policies: \[authzen.*\n/, '')],
    [
      'entities alone',
      'configuration_invalid',
      (text) => text.replace(/ {2}schema: .*\n/, '').replace(/ {2}policies: \[authzen.*\n/, ''),
    ],
    ['no such policies', 'configuration_invalid', (text) => text.replace('authzen/*.cedar', 'nowhere/*.cedar')],
    ['no such schema', 'policy_invalid', (text) => text.replace('schema.cedarschema', 'none.cedarschema')],
    ['no such entities', 'configuration_invalid', (text) => text.replace('entities.json', 'none.json')],
    ['an unknown key', 'configuration_invalid', (text) => text.replace('entities:', 'entitys:')],
    [
      'a public address with a path',
      'configuration_invalid',
      (text) => text.replace('authzen:\n', 'authzen:\n  publicUrl: https://a.example/pdp\n'),
    ],
    [
      'a public address of another kind',
      'configuration_invalid',
      (text) => text.replace('authzen:\n', 'authzen:\n  publicUrl: javascript:1\n'),
    ],
    ['a time that is none', 'configuration_invalid', (text) => text.replace('ask: 10m', 'ask: soon')],
  ]
  test.each(cases)('%s', (_, code, change) => {
    expect(() => load(change)).toThrow(expect.objectContaining({ code }))
  })
})
