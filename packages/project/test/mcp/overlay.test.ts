import { describe, expect, test } from 'vitest'
import { parseOverlay } from '../../src/mcp/index.ts'
import { writeProblem } from '../../src/yaml/problem.ts'

const DEFAULTS = 'defaults: { dataClass: internal, blastRadius: single, risk: low }\n'

function problemsOf(text: string): readonly string[] {
  const answer = parseOverlay(text, 'mcp/files.yaml')
  return answer.ok ? [] : answer.problems.map(writeProblem)
}

test('what a tool does not say, the defaults say', () => {
  const text = `${DEFAULTS}tools:
  read_file: { mutability: read, risk: medium, timeout: 5s }
  wipe: { hidden: true }
  write_file:
    mutability: write
    reversibility: irreversible
    records: [/path]
    nature: []
    flow:
      inputs: { /path: { role: sink, type: path }, /content: { role: text, type: text } }
      outputs: { '': { origin: member, type: text } }
      egress: none
`
  expect(parseOverlay(text, 'a.yaml')).toEqual({
    ok: true,
    overlay: {
      read_file: { mutability: 'read', dataClass: 'internal', blastRadius: 'single', risk: 'medium', timeoutMs: 5_000 },
      wipe: { hidden: true },
      write_file: {
        ...{ mutability: 'write', dataClass: 'internal', blastRadius: 'single', risk: 'low', reversibility: 'irreversible' },
        ...{ records: ['/path'], nature: [], origins: { '': 'third-party' } },
        flow: {
          inputs: { '/path': { role: 'sink', type: 'path' }, '/content': { role: 'text', type: 'text' } },
          outputs: { '': { origin: 'member', type: 'text' } },
          egress: 'none',
        },
      },
    },
  })
})

test('defaults classify no tool that is not named', () => {
  expect(parseOverlay(DEFAULTS, 'a.yaml')).toEqual({ ok: true, overlay: {} })
})

describe('what is wrong is said with its place and what to do', () => {
  const write = 'mutability: write, reversibility: irreversible, records: [/path]'
  test.each([
    { text: 'tols: {}', says: 'mcp/files.yaml:1:1: tols: Unknown key "tols". Did you mean "tools"?' },
    { text: '- a', says: 'mcp/files.yaml:1:1: An overlay is a map' },
    {
      text: 'tools:\n  a: { mutability: rad }',
      says: 'mcp/files.yaml:2:20: tools.a.mutability: "rad" is not one of read, write, destructive.',
    },
    { text: 'tools:\n  a: { mutability: read }', says: 'tools.a.dataClass: "dataClass" is missing.' },
    { text: `${DEFAULTS}tools: { a: { mutability: write } }`, says: 'tools.a.reversibility: Is missing' },
    { text: `${DEFAULTS}tools: { a: { mutability: write, reversibility: irreversible } }`, says: 'tools.a.records: Is missing' },
    { text: `${DEFAULTS}tools: { a: { ${write}, blastRadius: batch } }`, says: 'tools.a.maxRecords: Is missing' },
    { text: `${DEFAULTS}tools: { a: { ${write}, maxRecords: 2 } }`, says: 'tools.a.maxRecords: Must be 1' },
    {
      text: `${DEFAULTS}tools: { a: { mutability: read, idempotency: key } }`,
      says: 'tools.a.idempotency: Has no meaning for a read',
    },
    { text: `${DEFAULTS}tools: { a: { mutability: write, reversibility: reversible, records: [/p] } }`, says: 'Says reversible' },
    { text: `${DEFAULTS}tools: { a: { ${write}, nature: [unclassified] } }`, says: '"unclassified" is not one of' },
    {
      text: `${DEFAULTS}tools: { a: { ${write}, verify: { tool: b, at: /content } } }`,
      says: 'tools.a.verify.tool: "b" must stand under tools as a read',
    },
    { text: `${DEFAULTS}tools: { a: { hidden: true, risk: low } }`, says: 'A hidden tool is never called' },
    { text: `${DEFAULTS}tools: { a: { hidden: false } }`, says: 'hidden: true' },
    { text: `${DEFAULTS}tools: { a: { ${write}, timeout: 10m } }`, says: '5m at most' },
    {
      text: `${DEFAULTS}tools: { a: { mutability: write, reversibility: irreversible, records: [path] } }`,
      says: 'Expected a JSON pointer',
    },
    { text: `${DEFAULTS}tools: { a: { mutability: read, origins: { /text: system } } }`, says: 'Leads to no part of an output' },
    {
      text: `${DEFAULTS}tools: { a: { ${write}, flow: { inputs: { /path: { role: value, type: path } }, outputs: {}, egress: none } } }`,
      says: 'its role is "sink"',
    },
    {
      text: `${DEFAULTS}tools: { a: { mutability: write, reversibility: compensable, records: [/p], compensate: { tool: b } }, b: { ${write} } }`,
      says: 'declares no verify',
    },
    { text: `${DEFAULTS}tools: { a: { mutability: read }, a: { hidden: true } }`, says: 'stands here twice' },
    { text: `${DEFAULTS}tools: { a: &x { mutability: read }, b: *x }`, says: 'Anchors' },
  ])('$says', ({ text, says }) => {
    expect(problemsOf(text).join('\n')).toContain(says)
  })
})
