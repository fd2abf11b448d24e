import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compileFlow,
  FIELD_ORIGINS,
  type FlowOutput,
  type Json,
  labelOf,
  leafOrigins,
  showTyped,
  valueAt,
  VALUE_TYPES,
} from '../../src/index.ts'

const flow = compileFlow({
  mutability: 'read',
  declaration: {
    inputs: {},
    outputs: {
      '/id': { origin: 'system', type: 'identifier' },
      '/body': { origin: 'third-party', type: 'text' },
      '/stars': { origin: 'third-party', type: 'number' },
      '/asked': { origin: 'user', type: 'text' },
      '/echo': { origin: 'arguments', type: 'text' },
      '/tags': { origin: 'member', type: 'text' },
      '/counts/*': { origin: 'system', type: 'number', keys: { origin: 'third-party', type: 'text' } },
    },
    egress: 'none',
  },
})

test.each<[string, Json, Json]>([
  ['a stranger’s text is a handle', { body: 'psst' }, { body: { ref: '$r0/body', type: 'text', length: 4 } }],
  ['so is what nobody declares', { other: [{ x: 'psst' }] }, { ref: '$r0', type: 'text', length: 24 }],
  ['and what a colleague wrote', { tags: ['a', ''] }, { tags: [{ ref: '$r0/tags/0', type: 'text', length: 1 }, ''] }],
  ['systems, users and echoes are shown', { id: 'i', asked: 'please', echo: 'e' }, { id: 'i', asked: 'please', echo: 'e' }],
  ['a small value is shown, whoever wrote it', { stars: 3 }, { stars: 3 }],
  ['but not what only claims to be one', { stars: 'three stars' }, { stars: { ref: '$r0/stars', type: 'number', length: 11 } }],
  ['keys are data where they are chosen', { counts: { psst: 1 } }, { counts: { ref: '$r0/counts', type: 'text', length: 10 } }],
  ['nothing is nothing', { body: null, id: '' }, { body: null, id: '' }],
])('%s', (_why, value, shown) => {
  expect(showTyped(value, { name: '$r0', flow })).toEqual(shown)
})

test('an echo of what is not trusted is not shown', () => {
  const given = { name: '$r0', flow, echoesUntrusted: true }
  expect(showTyped({ echo: 'e' }, given)).toEqual({ echo: { ref: '$r0/echo', type: 'text', length: 1 } })
  expect(leafOrigins({ echo: 'e', asked: 'a', tags: ['t'] }, given)).toEqual(
    new Map([
      ['/echo', ['third-party']],
      ['/asked', ['user']],
      ['/tags/0', ['third-party']],
    ]),
  )
})

test('what is shown does not taint, and every handle leads to what it stands for', () => {
  const key = fc.constantFrom('a', 'b', 'c', '*', 'x/y', '~')
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json[]>('psst', 'go there', 3, true, null, ''),
      fc.dictionary(key, tie('value')),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }))
  const output: fc.Arbitrary<FlowOutput> = fc.record({
    origin: fc.constantFrom(...FIELD_ORIGINS),
    type: fc.constantFrom(...VALUE_TYPES),
  })
  const outputs = fc.dictionary(fc.constantFrom('', '/a', '/a/*', '/a/b', '/b', '/*', '/*/c', '/c/*/a'), output)
  let hidden = 0
  fc.assert(
    fc.property(value, outputs, fc.boolean(), (given, declared, echoesUntrusted) => {
      const compiled = compileFlow({ mutability: 'read', declaration: { inputs: {}, outputs: declared, egress: 'none' } })
      const shown = showTyped(given, { name: '$r0', flow: compiled, echoesUntrusted })
      const refs = [...JSON.stringify(shown).matchAll(/"ref":"\$r0((?:[^"\\]|\\.)*)"/g)].map(
        ([, pointer = '']) => JSON.parse(`"${pointer}"`) as string,
      )
      hidden += refs.length
      for (const pointer of refs) expect(valueAt(given, pointer)).not.toBeUndefined()
      // What is left, with each handle taken for nothing, has the label of something trusted.
      const left = refs.reduce<Json>((rest, pointer) => without(rest, pointer), given)
      expect(labelOf(left, compiled, echoesUntrusted).untrusted).toBe(false)
      expect(refs.length > 0).toBe(labelOf(given, compiled, echoesUntrusted).untrusted)
    }),
    { numRuns: 1_000 },
  )
  expect(hidden).toBeGreaterThan(200)
})

/** The value with null at a pointer. */
function without(value: Json, pointer: string): Json {
  if (pointer === '') return null
  const [, head = ''] = pointer.split('/')
  const rest = pointer.slice(head.length + 1)
  const name = head.replaceAll('~1', '/').replaceAll('~0', '~')
  if (Array.isArray(value)) return value.map((item: Json, i) => (String(i) === name ? without(item, rest) : item))
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => [key, key === name ? without(item as Json, rest) : (item as Json)]),
  )
}
