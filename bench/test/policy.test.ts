import { describe, expect, test } from 'vitest'
import { parseCommand } from '../src/command-line.ts'
import { BenchError } from '../src/error.ts'
import { cedarTexts } from '../src/policy/cedar-text.ts'
import { isSound, type PolicyResult, policyRatios } from '../src/policy/compare.ts'
import { POLICY_ENGINE_NAMES, POLICY_ENGINES } from '../src/policy/engines.ts'
import { type EngineUnderTest, measureEngine } from '../src/policy/measure.ts'
import { ours, oursBalanced, oursProduct, refusalOfProduct } from '../src/policy/ours.ts'
import { renderPolicyTable } from '../src/policy/policy-table.ts'
import { type Answer, decideByIndex, decideByReference, isSameAnswer, worstOf } from '../src/policy/reference.ts'
import { parsePolicyLine, type PolicyReport, type PolicyRow } from '../src/policy/row.ts'
import { createPolicySet, createQuestions, GLOBAL_RULES, type PolicyQuestion } from '../src/policy/set.ts'

const row = (name: string, changes: Partial<PolicyRow> = {}): PolicyRow => ({
  name,
  version: '1.2.3',
  notes: 'a note',
  policies: 10,
  perCpuSecond: 1_000,
  p50Us: 1.234,
  p99Us: 56.7,
  decisions: 5_000,
  loadMs: 1.5,
  memoryMb: 2,
  rssMb: 80,
  checked: 1_000,
  mismatches: 0,
  explained: true,
  ...changes,
})

describe('the policy set', () => {
  test('has as many rules as it says, and the same ones each time', () => {
    const set = createPolicySet(100)
    expect(set.scoped.length + Object.keys(GLOBAL_RULES).length).toBe(100)
    expect(createPolicySet(100)).toEqual(set)
    expect(createQuestions(set, 50)).toEqual(createQuestions(set, 50))
  })

  test('in Cedar is one policy for each rule, and the permit', () => {
    const texts = cedarTexts(createPolicySet(100))
    expect(new Set(texts.map(({ id }) => id)).size).toBe(101)
    expect(texts.filter(({ outcome }) => outcome === 'allow').length).toBe(1)
  })

  test.each([10, 1_000])('of %i leads to every outcome, and every global rule matters', (size) => {
    const set = createPolicySet(size)
    const answers = createQuestions(set, 1_000).map(decideByReference(set))
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['allow', 'dry_run', 'ask', 'deny']))
    const named = new Set(answers.flatMap(({ policies }) => policies))
    for (const id of Object.keys(GLOBAL_RULES)) expect(named).toContain(id)
    expect([...named].some((id) => id.startsWith('scoped-'))).toBe(true)
  })
})

describe('the reference', () => {
  const set = createPolicySet(300)
  const question: PolicyQuestion = {
    agent: 'agent-00',
    tool: 'tool00',
    dataClass: 'public',
    clearances: ['public'],
    environment: 'production',
    risk: 'low',
    confidence: 9_000,
    mutability: 'read',
    reversible: true,
    callsPerHour: 100,
    amount: 0,
  }

  test.each([
    [{}, 'allow', []],
    [{ dataClass: 'secret' }, 'deny', ['not-cleared']],
    [{ risk: 'critical' }, 'deny', ['critical-risk']],
    [{ risk: 'high' }, 'ask', ['high-risk-production']],
    [{ risk: 'high', environment: 'staging' }, 'allow', []],
    [{ confidence: 8_999 }, 'dry_run', ['low-confidence']],
    [{ mutability: 'write' }, 'allow', []],
    [{ mutability: 'write', reversible: false }, 'ask', ['no-way-back']],
    [{ callsPerHour: 101 }, 'deny', ['too-many-calls']],
    [{ risk: 'high', confidence: 0 }, 'ask', ['high-risk-production', 'low-confidence']],
  ] as const)('%j -> %s', (changes, outcome, policies) => {
    const none = { ...set, scoped: [] }
    expect(decideByReference(none)({ ...question, ...changes })).toEqual({ outcome, policies })
  })

  test('applies a scoped rule to its agent and tool, above its amount', () => {
    const decide = decideByReference({
      ...set,
      scoped: [{ id: 's', agent: 'agent-00', tool: 'tool00', over: 5, outcome: 'ask' }],
    })
    expect(decide({ ...question, amount: 6 }).outcome).toBe('ask')
    expect(decide({ ...question, amount: 5 }).outcome).toBe('allow')
    expect(decide({ ...question, amount: 6, agent: 'agent-01' }).outcome).toBe('allow')
    expect(decide({ ...question, amount: 6, tool: 'tool01' }).outcome).toBe('allow')
  })

  test('agrees with the index', () => {
    const [slow, fast] = [decideByReference(set), decideByIndex(set)]
    for (const each of createQuestions(set, 1_000)) expect(fast(each)).toEqual(slow(each))
  })

  test('lets the outcome that restricts most win, in any order', () => {
    const all = (['dry_run', 'deny', 'ask', 'allow'] as const).map((outcome) => ({ id: outcome, outcome }))
    expect(worstOf(all).outcome).toBe('deny')
    expect(worstOf(all.toReversed()).outcome).toBe('deny')
    expect(worstOf([]).outcome).toBe('allow')
  })

  test.each<[Answer, boolean]>([
    [{ outcome: 'ask' }, true],
    [{ outcome: 'ask', policies: ['b', 'a'] }, true],
    [{ outcome: 'ask', policies: ['a'] }, false],
    [{ outcome: 'ask', policies: ['a', 'b', 'c'] }, false],
    [{ outcome: 'deny', policies: ['a', 'b'] }, false],
  ])('compares %j: %s', (answer, same) => {
    expect(isSameAnswer(answer, { outcome: 'ask', policies: ['a', 'b'] })).toBe(same)
  })
})

describe('a measurement', () => {
  const options = { policies: 60, milliseconds: 20 }

  test('finds no difference in ours', async () => {
    const measured = await measureEngine(ours, options)
    expect(measured).toMatchObject({ policies: 60, checked: 1_000, mismatches: 0, explained: true })
    expect(measured.perCpuSecond).toBeGreaterThan(0)
    expect(await measureEngine(oursProduct, options)).toMatchObject({ mismatches: 0, explained: true })
  })

  test('finds no difference between the product with its default policies and Cedar itself', async () => {
    const measured = await measureEngine(oursBalanced, { ...options, policies: 20 })
    expect(measured).toMatchObject({ checked: 1_000, mismatches: 0, explained: true })
  }, 60_000)

  test('counts every answer of an engine that gets it wrong', async () => {
    const careless: EngineUnderTest<PolicyQuestion> = {
      version: '1',
      notes: '',
      load: () => ({ prepare: (question) => question, decide: () => ({ outcome: 'allow' }) }),
    }
    const set = createPolicySet(60)
    const restricted = createQuestions(set, 1_000).filter((question) => decideByReference(set)(question).outcome !== 'allow')
    expect(await measureEngine(careless, options)).toMatchObject({ mismatches: restricted.length, explained: false })
  })

  test('of the product is refused for a set that the product refuses', () => {
    expect(refusalOfProduct(1_000)).toBeUndefined()
    expect(refusalOfProduct(100_000)).toContain('refuses')
  })
})

describe('the line of an engine', () => {
  test('is read, under the name we gave it and without what we do not know', () => {
    const line = JSON.stringify({ ...row('inner'), secret: 'x' })
    expect(parsePolicyLine(line, 'outer')).toEqual(row('outer'))
    expect(parsePolicyLine('{"skipped":"why"}', 'outer')).toEqual({ name: 'outer', skipped: 'why' })
  })

  test.each([
    '',
    'words',
    '[]',
    'null',
    '{}',
    JSON.stringify({ ...row('a'), p50Us: -1 }),
    JSON.stringify({ ...row('a'), notes: 1 }),
  ])('%j is refused', (line) => {
    expect(() => parsePolicyLine(line, 'outer')).toThrow(
      expect.objectContaining({ constructor: BenchError, code: 'report_invalid' }),
    )
  })
})

describe('the comparison', () => {
  const rows: readonly PolicyReport[] = [
    row('ours', { perCpuSecond: 4_000 }),
    row('peer', { perCpuSecond: 1_000 }),
    row('wrong', { perCpuSecond: 9_000, mismatches: 3 }),
    { name: 'absent', policies: 10, skipped: 'not installed' },
    { name: 'broken', policies: 10, failed: 'crashed' },
    row('peer', { policies: 100, perCpuSecond: 10 }),
  ]
  const machine = {
    cores: 2,
    node: '24.0.0',
    cpu: 'a processor',
    platform: 'linux x64',
    memoryGb: 8,
    loadBefore: 0.5,
    storage: 'disk',
  }
  const result: PolicyResult = { machine, timerUs: 0.05, sizes: [10, 100], rows, ratio: policyRatios(rows) }

  test('puts ours over each engine that is right, at the same size', () => {
    expect(result.ratio).toEqual({ peer: { 10: 4 } })
  })

  test('is sound only if nobody is wrong or broken', () => {
    const only = (...kept: readonly string[]) => isSound({ ...result, rows: rows.filter(({ name }) => kept.includes(name)) })
    expect(only('ours', 'peer', 'absent')).toBe(true)
    expect(only('ours', 'wrong')).toBe(false)
    expect(only('ours', 'broken')).toBe(false)
  })

  test('marks what is no figure', () => {
    const lines = renderPolicyTable(result).split('\n')
    expect(lines.find((line) => line.startsWith('peer'))).toMatch(/ 4 x$/)
    expect(lines.find((line) => line.startsWith('wrong'))).toMatch(/ 3 of 1000$/)
    expect(lines).toContain('wrong, 10 policies: WRONG: 3 of 1000 answers are not those of the reference: not a figure')
    expect(lines).toContain('absent, 10 policies: skipped: not installed')
    expect(lines).toContain('broken, 10 policies: FAILED: crashed')
  })

  test('knows a program for each engine', () => {
    expect(POLICY_ENGINES.map(({ name }) => name)).toEqual(POLICY_ENGINE_NAMES)
  })
})

describe('the command line of policy', () => {
  test('knows sensible defaults', () => {
    expect(parseCommand(['policy'])).toMatchObject({ kind: 'policy', sizes: [10, 100, 1_000, 10_000], json: false })
    const command = parseCommand(['policy', '--only', 'ours, casl', '--sizes', '6,50', '--json'])
    expect(command).toMatchObject({ sizes: [6, 50], json: true, only: new Set(['ours', 'casl']) })
  })

  test('is quick without the peers', () => {
    const command = parseCommand(['policy', '--quick'])
    expect(command).toMatchObject({ only: new Set(['ours', 'ours-product', 'typescript']), sizes: [10, 100] })
  })

  test.each([
    [['policy', '--only', 'cerbos']],
    [['policy', '--sizes', '5']],
    [['policy', '--sizes', '10,']],
    [['policy', '--sizes', '100001']],
    [['policy', '--actions', '1']],
  ])('%j is refused', (argv) => {
    expect(() => parseCommand(argv)).toThrow(expect.objectContaining({ constructor: BenchError, code: 'arguments_invalid' }))
  })
})
