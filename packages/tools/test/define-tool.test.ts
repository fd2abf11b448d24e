import { describe, expect, test } from 'vitest'
import {
  defineTool,
  done,
  operation,
  type OperationDeclaration,
  parseSettings,
  resolveTool,
  ToolsError,
  type ToolDeclaration,
  z,
} from '../src/index.ts'

const read = operation({
  title: 'Read a thing',
  description: 'Reads one thing.',
  input: z.strictObject({ id: z.string(), many: z.array(z.string()).optional() }),
  output: z.strictObject({ id: z.string(), notes: z.array(z.strictObject({ text: z.string() })) }),
  mutability: 'read',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  records: ['/id'],
  origins: { '/id': 'system', '/notes/*/text': 'third-party' },
  execute: async ({ arguments: { id } }) => done({ id, notes: [] }),
})

const write = operation({
  title: 'Rename a thing',
  description: 'Gives one thing another name.',
  input: z.strictObject({ id: z.string(), name: z.string() }),
  output: z.strictObject({ id: z.string(), before: z.string().nullable() }),
  mutability: 'write',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'medium',
  reversibility: 'reversible',
  records: ['/id'],
  execute: async ({ arguments: { id } }) => done({ id, before: 'x' }),
  reconcile: async () => ({ kind: 'absent' }),
  verify: async () => ({ holds: true, detail: 'seen' }),
  compensate: {
    operation: 'rename',
    arguments: ({ output }) => {
      if (output.before === null) return 'unknown'
      return output.before === 'same' ? 'nothing' : { id: output.id, name: output.before }
    },
  },
})

const toolOf = (operations: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  // Sound: what is wrong here on purpose is what the definition must refuse.
  defineTool({ name: 'box', title: 'Box', operations, ...more } as unknown as ToolDeclaration)

function issuesOf(define: () => unknown): readonly (readonly [code: string, where: string])[] {
  try {
    define()
  } catch (error) {
    if (error instanceof ToolsError) return error.issues.map(({ code, where }) => [code, where] as const)
    throw error
  }
  return []
}

test('a declaration becomes operations with everything filled in', () => {
  const { operations, name } = toolOf({ read, rename: write })
  expect(name).toBe('box')
  expect(operations).toMatchObject([
    {
      id: 'box.read',
      tool: 'box',
      reversibility: 'reversible',
      timeoutMs: 10_000,
      maxAttempts: 3,
      settleMs: 0,
      idempotency: 'none',
      maxRecords: 1,
      canReconcile: false,
      canPreview: false,
      secrets: [],
    },
    { id: 'box.rename', maxAttempts: 1, settleMs: 2000, canReconcile: true, canVerify: true, records: ['/id'] },
  ])
  expect(operations[0]).not.toHaveProperty('compensation')
  expect(operations[0]?.schemaVersion).toMatch(/^[0-9a-f]{64}$/)
})

test('a compensation is a call, nothing, or a call that nobody accepts; it never throws into the runtime', () => {
  const compensate = toolOf({ rename: write }).operations[0]?.compensation
  const given = (before: unknown) => compensate?.({ arguments: {}, output: { id: 'a', before } as never })
  expect(given('old')).toEqual({ operation: 'box.rename', arguments: { id: 'a', name: 'old' } })
  expect(given('same')).toBeNull()
  expect(given(null)).toEqual({ operation: 'box.rename', arguments: null })
  expect(compensate?.({ arguments: null, output: null })).toEqual({ operation: 'box.rename', arguments: null })
})

describe('the nature of an effect', () => {
  test.each<[string, Partial<OperationDeclaration>, readonly string[]]>([
    ['a write that does not say is unclassified', {}, ['unclassified']],
    ['one that says nothing special is nothing special', { nature: [] }, []],
    ['in one order, each once', { nature: ['message', 'financial', 'message'] }, ['financial', 'message']],
    ['what is destructive is a deletion', { mutability: 'destructive' }, ['deletion']],
    ['whatever it says', { mutability: 'destructive', nature: ['code'] }, ['deletion', 'code']],
  ])('%s', (_why, more, nature) => {
    expect(toolOf({ rename: { ...write, ...more } }).operations[0]?.nature).toEqual(nature)
  })

  test('a read has none unless it says so', () => {
    const [plain, paid] = toolOf({ plain: read, paid: { ...read, nature: ['egress'] } }).operations
    expect([plain?.nature, paid?.nature]).toEqual([[], ['egress']])
  })

  test('nobody declares to be unclassified, or something else', () => {
    for (const nature of [['unclassified'], ['financal'], 'financial']) {
      expect(issuesOf(() => toolOf({ rename: { ...write, nature } }))[0]).toEqual([
        'tool_declaration',
        expect.stringMatching(/^box\.rename\.nature/),
      ])
    }
  })
})

describe('the schema version', () => {
  const version = (more: Partial<OperationDeclaration>) => toolOf({ rename: { ...write, ...more } }).operations[0]?.schemaVersion
  const first = version({})
  test('is the same for the same declaration, whatever the functions', () => {
    expect(version({})).toBe(first)
    expect(version({ execute: async () => done({}) })).toBe(first)
  })
  test.each<Partial<OperationDeclaration>>([
    { title: 'Other' },
    { description: 'Other.' },
    { risk: 'high' },
    { nature: [] },
    { dataClass: 'regulated' },
    { timeoutMs: 9999 },
    { secrets: ['key'] },
    { origins: { '/id': 'user' } },
    { input: z.strictObject({ id: z.string(), name: z.string().max(5) }) },
    { output: z.strictObject({ id: z.string(), before: z.string().nullable(), more: z.int() }) },
    { preview: async () => done({}) },
  ])('changes with what is declared: %j', (more) => {
    expect(version(more)).not.toBe(first)
  })
})

describe('a declaration is refused, naming the field', () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    ['an unknown field', { reconsile: async () => ({}) }, 'tool_declaration', 'box.rename.reconsile'],
    ['no title', { title: undefined }, 'tool_declaration', 'box.rename.title'],
    ['a title of two lines', { title: 'a\nb' }, 'tool_declaration', 'box.rename.title'],
    ['an unknown class', { dataClass: 'secretish' }, 'tool_declaration', 'box.rename.dataClass'],
    ['no risk', { risk: undefined }, 'tool_declaration', 'box.rename.risk'],
    ['no reversibility', { reversibility: undefined, compensate: undefined }, 'tool_declaration', 'box.rename.reversibility'],
    ['too long a time-out', { timeoutMs: 300_001 }, 'tool_declaration', 'box.rename.timeoutMs'],
    ['no attempt', { maxAttempts: 0 }, 'tool_declaration', 'box.rename.maxAttempts'],
    ['a secret with a path', { secrets: ['../x'] }, 'tool_declaration', 'box.rename.secrets.0'],
    ['execute that is no function', { execute: 'rm' }, 'tool_declaration', 'box.rename.execute'],
    ['a schema of something else', { input: { type: 'object' } }, 'tool_schema', 'box.rename.input'],
    ['an open input', { input: z.object({ id: z.string() }) }, 'tool_schema', 'box.rename.input'],
    ['a loose input', { input: z.looseObject({ id: z.string() }) }, 'tool_schema', 'box.rename.input'],
    [
      'an open object inside',
      { input: z.strictObject({ id: z.string(), a: z.array(z.object({ b: z.string() })) }) },
      'tool_schema',
      'box.rename.input',
    ],
    ['an open output', { output: z.object({ id: z.string() }) }, 'tool_schema', 'box.rename.output'],
    ['unknown data', { input: z.strictObject({ id: z.string(), a: z.unknown() }) }, 'tool_schema', 'box.rename.input'],
    [
      'a transform',
      { input: z.strictObject({ id: z.string().transform((id) => id.length) }) },
      'tool_schema',
      'box.rename.input',
    ],
    ['a preprocess', { input: z.strictObject({ id: z.preprocess(String, z.string()) }) }, 'tool_schema', 'box.rename.input'],
    ['a coercion', { input: z.strictObject({ id: z.coerce.string() }) }, 'tool_schema', 'box.rename.input'],
    ['a catch', { input: z.strictObject({ id: z.string().catch('x') }) }, 'tool_schema', 'box.rename.input'],
    ['a date', { output: z.strictObject({ id: z.date() }) }, 'tool_schema', 'box.rename.output'],
    ['a write without records', { records: [] }, 'tool_records', 'box.rename.records'],
    ['records that lead nowhere', { records: ['/idd'] }, 'tool_records', 'box.rename.records'],
    [
      'records that may be missing',
      { records: ['/id'], input: z.strictObject({ id: z.string().optional() }) },
      'tool_records',
      'box.rename.records',
    ],
    ['one record that is a list', { input: z.strictObject({ id: z.array(z.string()) }) }, 'tool_records', 'box.rename.records'],
    ['one record of many', { maxRecords: 2 }, 'tool_records', 'box.rename.maxRecords'],
    ['a batch without a limit', { blastRadius: 'batch' }, 'tool_records', 'box.rename.maxRecords'],
    ['origins that lead nowhere', { origins: { '/nme': 'user' } }, 'tool_origins', 'box.rename.origins'],
    ['a write that nobody can look up', { reconcile: undefined }, 'tool_ambiguity', 'box.rename.reconcile'],
    ['reversible without a way back', { compensate: undefined }, 'tool_compensation', 'box.rename.compensate'],
    [
      'compensable without a way back',
      { compensate: undefined, reversibility: 'compensable' },
      'tool_compensation',
      'box.rename.compensate',
    ],
    ['irreversible with a way back', { reversibility: 'irreversible' }, 'tool_compensation', 'box.rename.compensate'],
    [
      'a way back that is no operation',
      { compensate: { operation: 'other', arguments: () => ({}) } },
      'tool_compensation',
      'box.rename.compensate',
    ],
    [
      'a way back of the prototype',
      { compensate: { operation: 'constructor', arguments: () => ({}) } },
      'tool_compensation',
      'box.rename.compensate',
    ],
    [
      'a way back that only reads',
      { compensate: { operation: 'read', arguments: () => ({}) } },
      'tool_compensation',
      'box.rename.compensate',
    ],
    ['a way back that nobody can see', { verify: undefined }, 'tool_compensation', 'box.rename.compensate'],
  ])('%s', (_what, more, code, where) => {
    expect(issuesOf(() => toolOf({ read, rename: { ...write, ...more } }))).toContainEqual([code, where])
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['with a key', { idempotency: 'key' }, 'box.read.idempotency'],
    ['with a look-up', { reconcile: async () => ({ kind: 'absent' }) }, 'box.read.reconcile'],
    ['with a way back', { compensate: { operation: 'rename', arguments: () => ({}) } }, 'box.read.compensate'],
    ['that is irreversible', { reversibility: 'irreversible' }, 'box.read.reversibility'],
  ])('a read %s', (_what, more, where) => {
    expect(issuesOf(() => toolOf({ read: { ...read, ...more }, rename: write }))).toEqual([['tool_declaration', where]])
  })

  test.each([
    [{ name: 'Box' }, 'Box.name'],
    [{ name: 'a.b' }, 'a.b.name'],
    [{ operations: {} }, 'box.operations'],
    [{ operations: { 'Read it': read } }, 'box.operations.Read it'],
    [{ extra: 1 }, 'box.extra'],
  ])('a tool with %j', (more, where) => {
    expect(issuesOf(() => toolOf({ read }, more))).toEqual([['tool_declaration', where]])
  })

  test('with everything that is wrong at once, and a cure for each', () => {
    const define = () => toolOf({ rename: { ...write, reconcile: undefined, records: [] }, read: { ...read, risk: 'tiny' } })
    expect(issuesOf(define)).toHaveLength(3)
    expect(define).toThrow(
      /box\.rename\.records: .*List the arguments[\s\S]*box\.rename\.reconcile: .*acceptsAmbiguity[\s\S]*box\.read\.risk/,
    )
  })
})

test('ambiguity may be owned up to, or be settled by a key', () => {
  expect(issuesOf(() => toolOf({ rename: { ...write, reconcile: undefined, acceptsAmbiguity: true } }))).toEqual([])
  expect(issuesOf(() => toolOf({ rename: { ...write, reconcile: undefined, idempotency: 'key' } }))).toEqual([])
})

test('a batch names its records in a list', () => {
  const batch = { ...write, blastRadius: 'batch', maxRecords: 20, input: z.strictObject({ id: z.array(z.string()) }) }
  expect(toolOf({ rename: batch }).operations[0]).toMatchObject({ maxRecords: 20, blastRadius: 'batch' })
})

describe('a shape', () => {
  const shape = toolOf({ read }).operations[0]?.input
  test('returns only what the schema returns', () => {
    expect(shape?.parse({ id: 'a' })).toEqual({ ok: true, value: { id: 'a' } })
    expect(shape?.jsonSchema).toMatchObject({ type: 'object', additionalProperties: false, required: ['id'] })
  })
  test.each([
    ['an unknown key', '{"id":"a","x/y":1}', '/x~1y'],
    ['__proto__', '{"id":"a","__proto__":{"admin":true}}', '/__proto__'],
    ['constructor, deep', '{"id":"a","many":[{"constructor":1}]}', '/many/0/constructor'],
    ['a wrong type', '{"id":1}', '/id'],
    ['a wrong member', '{"id":"a","many":["b",2]}', '/many/1'],
    ['no object', '"a"', ''],
    ['a lone surrogate', '{"id":"\\ud800"}', '/id'],
  ])('%s is refused with a pointer', (_what, json, path) => {
    expect(shape?.parse(JSON.parse(json))).toMatchObject({ ok: false, issues: [{ path }] })
  })
  test('what is too large or too deep is refused before anybody looks at it', () => {
    expect(shape?.parse({ id: 'x'.repeat(70_000) })).toMatchObject({ ok: false, issues: [{ path: '/id' }] })
    expect(shape?.parse({ id: 'a', many: JSON.parse('['.repeat(40) + ']'.repeat(40)) })).toMatchObject({ ok: false })
  })
  test('depth has a limit even where the schema has none', () => {
    const open = toolOf({ read: { ...read, input: z.strictObject({ id: z.string(), any: z.json() }) } }).operations[0]?.input
    const nested = (levels: number) => ({ id: 'a', any: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) })
    expect(open?.parse(nested(31))).toMatchObject({ ok: true })
    expect(open?.parse(nested(32))).toMatchObject({ ok: false })
    expect(open?.parse(nested(5000))).toMatchObject({ ok: false })
  })
  test('no message repeats the value that was refused', () => {
    expect(JSON.stringify(shape?.parse({ id: { password: 'hunter2-hunter2' } }))).not.toContain('hunter2')
  })
})

describe('a tool file', () => {
  const tool = toolOf({ read })
  const at = { file: 'tools/box.ts', settings: { size: 3 } }
  test('exports a tool, or a function of its settings', () => {
    expect(resolveTool(tool, at)).toBe(tool)
    expect(resolveTool(({ settings }: { settings: unknown }) => (settings === at.settings ? tool : null), at)).toBe(tool)
  })
  test.each([undefined, null, {}, { name: 'box', operations: [], connector: {} }, () => ({})])('%j is no tool', (exported) => {
    expect(issuesOf(() => resolveTool(exported, at))).toEqual([['tool_not_exported', 'tools/box.ts']])
  })
  test('reads its settings strictly', () => {
    const schema = z.strictObject({ size: z.int() })
    expect(parseSettings(schema, at.settings, 'box')).toEqual({ size: 3 })
    expect(issuesOf(() => parseSettings(schema, { size: 'x' }, 'box'))).toEqual([['tool_settings', 'box.settings/size']])
    expect(issuesOf(() => parseSettings(schema, undefined, 'box'))).toEqual([['tool_settings', 'box.settings/size']])
  })
})
