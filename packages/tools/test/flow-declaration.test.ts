import { compileFlow, type FlowDeclaration, labelOf } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { defineTool, done, operation, type ToolDeclaration, ToolsError, z } from '../src/index.ts'

const FLOW: FlowDeclaration = {
  inputs: { '/docId': { role: 'sink', type: 'identifier' }, '/readers/*': { role: 'sink', type: 'recipient' } },
  outputs: {
    '/id': { origin: 'system', type: 'identifier' },
    '/title': { origin: 'third-party', type: 'text' },
    '/readers': { origin: 'arguments', type: 'recipient' },
  },
  egress: 'external',
  egressVia: ['/readers'],
}

const share = operation({
  title: 'Share a document',
  description: 'Lets people read one document.',
  input: z.strictObject({ docId: z.string(), readers: z.array(z.email()), note: z.string().optional() }),
  output: z.strictObject({ id: z.string(), title: z.string(), readers: z.array(z.strictObject({ name: z.string() })) }),
  mutability: 'write',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  nature: ['sharing'],
  reversibility: 'irreversible',
  records: ['/docId'],
  acceptsAmbiguity: true,
  flow: FLOW,
  execute: async () => done({ id: 'd', title: 't', readers: [] }),
})

// Sound: what is wrong here on purpose is what the definition must refuse.
const define = (more: object) =>
  defineTool({ name: 'docs', title: 'Documents', operations: { share: { ...share, ...more } } } as unknown as ToolDeclaration)
const flowed = (more: object) => define({ flow: { ...FLOW, ...more } })
const input = (pointer: string, declared: object) => flowed({ inputs: { ...FLOW.inputs, [pointer]: declared } })
const output = (pointer: string, declared: object) => flowed({ outputs: { ...FLOW.outputs, [pointer]: declared } })

function issuesOf(attempt: () => unknown): readonly { code: string; where: string; message: string }[] {
  try {
    attempt()
  } catch (error) {
    if (error instanceof ToolsError) return error.issues
    throw error
  }
  return []
}

test('what an operation declares is carried to those who decide, spelled out for every leaf', () => {
  const flow = define({}).operations[0]?.flow
  expect(flow).toMatchObject(FLOW)
  expect(flow?.outputs['/readers/*/name']).toEqual({ origin: 'arguments', type: 'recipient' })
})

test('what is said about an object holds for its members, whatever their schema would tell', () => {
  const outputs = { '': { origin: 'system', type: 'text', readers: ['user'] }, '/title': { origin: 'third-party', type: 'text' } }
  const operations = flowed({ outputs }).operations
  const { flow, input: given, output: answered, mutability } = operations[0] ?? {}
  if (flow === undefined || given === undefined || answered === undefined || mutability === undefined)
    throw new Error('undeclared')
  const compiled = compileFlow({ declaration: flow, mutability, input: given.jsonSchema, output: answered.jsonSchema })
  expect(labelOf({ id: 'd-1', title: '', readers: [{ name: 'ann' }] }, compiled)).toEqual({
    untrusted: false,
    readers: [['user']],
  })
  expect(labelOf({ id: 'd-1', title: 'psst', readers: [] }, compiled)).toMatchObject({ untrusted: true })
})

test('a changed declaration is a changed tool', () => {
  const version = (more: object) => define(more).operations[0]?.schemaVersion
  const { flow: _flow, ...undeclared } = share
  const without = defineTool({ name: 'docs', title: 'Documents', operations: { share: undeclared } }).operations[0]
  const versions = [version({}), version({ flow: { ...FLOW, egress: 'internal' } }), without?.schemaVersion]
  expect(new Set(versions).size).toBe(3)
  expect(without).not.toHaveProperty('flow')
  expect(version({ flow: { ...FLOW } })).toBe(version({}))
})

test('who wrote what is said once: without origins they follow from the flow', () => {
  const operations = define({}).operations
  expect(operations[0]?.origins).toEqual({ '/id': 'system', '/title': 'third-party', '/readers': 'model' })
})

describe('is refused:', () => {
  const text = { role: 'text', type: 'text' }
  test.each<[string, () => unknown, string, RegExp]>([
    ['an unknown field', () => flowed({ egres: 'none' }), 'flow.egres', /Did you mean "egress"\?/],
    ['an unknown field of an input', () => input('/note', { ...text, word: {} }), 'flow.inputs./note.word', /"words"/],
    [
      'an unknown field of an output',
      () => output('/id', { origin: 'system', type: 'text', reader: [] }),
      'flow.outputs./id.reader',
      /"readers"/,
    ],
    ['an unknown role', () => input('/note', { role: 'target', type: 'text' }), 'flow.inputs./note.role', /"sink"/],
    ['an unknown type', () => input('/note', { role: 'value', type: 'iban' }), 'flow.inputs./note.type', /"identifier"/],
    ['an unknown origin', () => output('/id', { origin: 'model', type: 'text' }), 'flow.outputs./id.origin', /"third-party"/],
    ['no egress', () => flowed({ egress: undefined }), 'flow.egress', /"none"/],
    ['a pointer that is none', () => input('note', text), 'flow.inputs.note', /JSON pointer/],
    ['a pointer to no argument', () => input('/notes', text), 'flow.inputs./notes', /leads to no argument/],
    [
      'a pointer to no part of the output',
      () => output('/body', { origin: 'system', type: 'text' }),
      'flow.outputs./body',
      /no part/,
    ],
    ['a way out that is no argument', () => flowed({ egressVia: ['/reader'] }), 'flow.egressVia', /leads to no argument/],
    ['a way out of what stays', () => flowed({ egress: 'none' }), 'flow.egressVia', /egress is "none"/],
    [
      'a record that is no target',
      () => input('/docId', { role: 'value', type: 'identifier' }),
      'flow.inputs./docId',
      /Its role is "sink"/,
    ],
    ['a text of another type', () => input('/note', { role: 'text', type: 'url' }), 'flow.inputs./note', /role "text"/],
    ['a target in free words', () => input('/note', { role: 'sink', type: 'text' }), 'flow.inputs./note', /selects no target/],
    ['words of no enum', () => input('/note', { ...text, words: { a: ['b'] } }), 'flow.inputs./note', /"enum"/],
    [
      'a flag that is a text',
      () => output('/title', { origin: 'third-party', type: 'flag' }),
      'flow.outputs./title',
      /no boolean/,
    ],
    [
      'a current text',
      () => output('/title', { origin: 'system', type: 'text', today: true }),
      'flow.outputs./title',
      /current date/,
    ],
    [
      'keys of no map',
      () => output('/title', { origin: 'system', type: 'text', keys: { origin: 'system', type: 'text' } }),
      'flow.outputs./title',
      /end the pointer with/,
    ],
    [
      'lines of numbers',
      () => output('/title', { origin: 'system', type: 'number', list: 'lines' }),
      'flow.outputs./title',
      /list of lines/,
    ],
  ])('%s', (_why, attempt, where, message) => {
    const issues = issuesOf(attempt)
    expect(issues.map((issue) => issue.where)).toContain(`docs.share.${where}`)
    expect(issues.map((issue) => issue.code)).toEqual(issues.map(() => 'tool_flow'))
    expect(issues.map((issue) => issue.message).join('\n')).toMatch(message)
  })

  test.each<[string, Record<string, string>, readonly string[]]>([
    ['the same in both', { '': 'third-party', '/id': 'system' }, []],
    ['an echo of trusted arguments', { '': 'third-party', '/id': 'system', '/readers': 'user' }, []],
    ['a stranger in one, a system in the other', { '': 'system' }, ['/title']],
    ['a part of a part that a system wrote', { '/id': 'system', '/title': 'third-party', '/readers': 'third-party' }, []],
    ['what is not listed is third-party', { '/title': 'third-party' }, ['/id']],
  ])('origins that say something else: %s', (_why, origins, places) => {
    const issues = issuesOf(() => define({ origins }))
    expect(issues.map(({ where }) => where)).toEqual(places.map((place) => `docs.share.flow.outputs.${place}`))
  })

  test('a deep place of origins that the flow above it does not know of', () => {
    const issues = issuesOf(() => define({ origins: { '': 'third-party', '/id': 'system', '/readers/*/name': 'workflow' } }))
    expect(issues.map(({ where }) => where)).toEqual(['docs.share.flow.outputs./readers/*/name'])
  })
})
