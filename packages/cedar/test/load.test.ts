import { describe, expect, test } from 'vitest'
import {
  CEDAR_ERROR_CODES,
  CedarError,
  type CedarErrorCode,
  createCedarEngine,
  generateSchema,
  MAX_POLICIES,
  parseApprovers,
} from '../src/index.ts'
import { ASK, DENY, DRY, engineOf, operations, PERMIT, requestOf, schema } from './desk.ts'

function refusal(load: () => unknown): CedarError {
  try {
    load()
  } catch (error) {
    if (error instanceof CedarError) return error
    throw error
  }
  throw new Error('was not refused')
}

const forbid = (annotations: string, rest = '') => `${annotations} forbid (principal, action, resource)${rest};`
const permitWhen = (condition: string) => `@id("p")\npermit (principal, action, resource)\nwhen { ${condition} };`
const approved = (id: string) => ` unless { context.approvals.contains("${id}") }`
const asking = '@id("a") @outcome("ask") @approvers("role:lead") @reason("r")'

const bad: readonly (readonly [string, string, CedarErrorCode, string, RegExp])[] = [
  ['a syntax error', `${PERMIT}\n\n@id("x") permit (principal, acton, resource);`, 'policy_syntax', '3:29', /acton/],
  [
    'a position behind wide letters',
    '// grüß 🙂\n@id("x") @reason("ü🙂") permit (principal, acton, resource);',
    'policy_syntax',
    '2:44',
    /acton/,
  ],
  ['a missing semicolon', '@id("x") permit (principal, action, resource)', 'policy_syntax', '1:46', /./],
  ['text after the last policy', `${PERMIT}\nhello`, 'policy_syntax', '2:6', /./],
  ['an unterminated string', '@id("x) permit (principal, action, resource);', 'policy_syntax', '1:5', /./],
  ['a template', '@id("x") permit (principal == ?principal, action, resource);', 'policy_syntax', '1:31', /template/],
  ['a duplicate annotation', '@id("x") @id("y") permit (principal, action, resource);', 'policy_syntax', '1:10', /duplicate/],
  ['a null byte', `${PERMIT}\n\0`, 'policy_syntax', '2:1', /U\+0000/],
  ['text that reads in another order', '// \u202Eevil\n', 'policy_syntax', '1:4', /U\+202E/],
  ['a misspelt attribute', permitWhen('context.confidense > 1'), 'policy_schema', '3:8', /confidense.*did you mean `confidence`/],
  [
    'a misspelt operation',
    '@id("x") permit (principal, action == Action::"desk.ticket.raed", resource);',
    'policy_schema',
    '1:39',
    /did you mean `Action::"desk.ticket.read"`/,
  ],
  [
    'an agent that does not exist',
    '@id("x") permit (principal == Agent::"nobody", action, resource);',
    'policy_schema',
    '1:31',
    /triage/,
  ],
  [
    'a tool that does not exist',
    '@id("x") permit (principal, action, resource == Tool::"shell");',
    'policy_schema',
    '1:49',
    /desk/,
  ],
  ['a text compared with a number', permitWhen('context.stage == "1"'), 'policy_schema', '3:8', /./],
  [
    'an argument that may be missing',
    '@id("p") permit (principal, action == Action::"desk.refund.create", resource) when { context.arguments.amountMinor > 1 };',
    'policy_schema',
    '1:86',
    /has amountMinor/,
  ],
  [
    'an argument that not every operation has',
    permitWhen('context.arguments.amountMinor > 1'),
    'policy_schema',
    '3:8',
    /not found/,
  ],
  [
    'an argument that no operation has',
    permitWhen('context.arguments has note && context.arguments.note == ""'),
    'policy_suspect',
    '1:1',
    /impossible/,
  ],
  ['a policy that can never match', permitWhen('resource == Tool::"desk" && false'), 'policy_suspect', '1:1', /impossible/],
  ['a risk class that does not exist', permitWhen('context.risk == "hihg"'), 'policy_vocabulary', '3:24', /did you mean "high"/],
  [
    'an origin that does not exist',
    permitWhen('!context.origins.contains("thirdparty")'),
    'policy_vocabulary',
    '3:34',
    /did you mean "third-party"/,
  ],
  [
    'a word in a set of words',
    permitWhen('["low", "middle"].contains(context.risk)'),
    'policy_vocabulary',
    '3:16',
    /it is one of low, medium/,
  ],
  [
    'a workflow that does not exist',
    permitWhen('"refund" == context.workflow'),
    'policy_vocabulary',
    '3:8',
    /did you mean "refunds"/,
  ],
  ['no id', 'permit (principal, action, resource);', 'policy_id', '1:1', /@id/],
  ['an id with other letters', '@id("Tidegate:x") permit (principal, action, resource);', 'policy_id', '1:1', /lower case/],
  ['two policies with one id', `${PERMIT}\n ${PERMIT}`, 'policy_duplicate_id', '2:2', /policies\/desk.cedar:1/],
  [
    'an unknown annotation',
    forbid('@id("a") @reason("r") @aprovers("role:x")'),
    'policy_annotation',
    '1:23',
    /did you mean "approvers"/,
  ],
  ['an unknown outcome', forbid('@id("a") @reason("r") @outcome("dryrun")'), 'policy_annotation', '1:23', /ask, dry_run, deny/],
  ['a forbid that allows', forbid('@id("a") @reason("r") @outcome("allow")'), 'policy_annotation', '1:23', /ask, dry_run, deny/],
  [
    'a soft outcome on a permit',
    '@id("a") @outcome("ask") permit (principal, action, resource);',
    'policy_annotation',
    '1:10',
    /permit takes no @outcome/,
  ],
  [
    'approvers on a permit',
    '@id("a") @approvers("role:x") permit (principal, action, resource);',
    'policy_annotation',
    '1:10',
    /permit takes no/,
  ],
  ['no reason on a forbid', forbid('@id("a")'), 'policy_annotation', '1:1', /needs a @reason/],
  ['an empty reason', forbid('@id("a") @reason(" ")'), 'policy_annotation', '1:10', /one line/],
  ['a reason of two lines', forbid('@id("a") @reason("a\\nb")'), 'policy_annotation', '1:10', /one line/],
  [
    'no approvers',
    forbid('@id("a") @reason("r") @outcome("ask")', approved('a')),
    'policy_annotation',
    '1:1',
    /needs @approvers/,
  ],
  ['approvers without asking', forbid('@id("a") @reason("r") @approvers("role:x")'), 'policy_annotation', '1:23', /goes with/],
  [
    'malformed approvers',
    forbid('@id("a") @reason("r") @outcome("ask") @approvers("lead")', approved('a')),
    'policy_annotation',
    '1:39',
    /role:billing-lead/,
  ],
  ['an ask that no approval satisfies', forbid(asking), 'policy_approval', '1:1', /change nothing/],
  [
    'an ask satisfied by the approval of another',
    `${ASK}\n${forbid(asking, approved('ask'))}`,
    'policy_approval',
    '3:1',
    /change nothing/,
  ],
  [
    'an ask only when it is approved',
    forbid(asking, ' when { context.approvals.contains("a") }'),
    'policy_approval',
    '1:1',
    /change nothing/,
  ],
  [
    'an approval that satisfies only sometimes',
    forbid(asking, ' unless { context.approvals.contains("a") && context.stage > 1 }'),
    'policy_approval',
    '1:1',
    /change nothing/,
  ],
  [
    'an approval of a policy that does not ask',
    `${DENY}${permitWhen('context.approvals.contains("deny")')}`,
    'policy_approval',
    '3:35',
    /asks for an approval/,
  ],
  ['a file of one megabyte', `// ${'x'.repeat(1024 * 1024)}`, 'policy_limit', '1:1', /262144/],
  ['a policy that is too long', permitWhen(`context.user == "${'x'.repeat(10_000)}"`), 'policy_limit', '1:1', /10000/],
  [
    'brackets that would crash the parser',
    permitWhen(`${'('.repeat(4_000)}true${')'.repeat(4_000)}`),
    'policy_limit',
    '1:1',
    /brackets/,
  ],
  ['operators that would crash the parser', permitWhen(`1${'+1'.repeat(4_000)} > 1`), 'policy_limit', '1:1', /operators/],
  [
    'conditions that would crash the parser',
    permitWhen(`${'if true then '.repeat(700)} true`),
    'policy_limit',
    '1:1',
    /operators/,
  ],
]

describe('a bad policy refuses the whole set, with its place', () => {
  test.each(bad)('%s', (_why, text, code, place, message) => {
    const error = refusal(() => engineOf(text))
    expect(error.issues[0]).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(error.message).toMatch(`policies/desk.cedar:${place}: `)
    expect(error.code).toBe(code)
    expect(engineOf(PERMIT).evaluate(requestOf()).kind).toBe('permitted')
  })

  test('every mistake is listed at once', () => {
    const files = [
      { file: 'a.cedar', text: `permit (principal, action, resource);\n${forbid('@id("a")')}` },
      { file: 'b.cedar', text: '@id("b") permit (principal, actoin, resource);' },
    ]
    const { issues, message } = refusal(() => createCedarEngine({ policies: files, schema }))
    expect(issues.map(({ file, line, code }) => `${file}:${line} ${code}`)).toEqual([
      'a.cedar:1 policy_id',
      'a.cedar:2 policy_annotation',
      'b.cedar:1 policy_syntax',
    ])
    expect(message.split('\n')).toHaveLength(3)
  })

  test('in the order of the file, whatever order Cedar finds them in', () => {
    const text = Array.from(
      { length: 9 },
      (_, i) => `@id("p${i}") permit (principal, action, resource) when { context.x${i} };`,
    ).join('\n')
    expect(refusal(() => engineOf(text)).issues.map((issue) => issue.line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('too many policies', () => {
    const texts = Array.from({ length: MAX_POLICIES + 1 }, (_, i) => `@id("p${i}") permit (principal, action, resource);`)
    const each = MAX_POLICIES / 8 // a file has its own limit
    const policies = Array.from({ length: 9 }, (_, i) => ({
      file: `${i}.cedar`,
      text: texts.slice(i * each, (i + 1) * each).join('\n'),
    }))
    const refused = refusal(() => createCedarEngine({ policies, schema }))
    expect([refused.code, refused.message]).toEqual(['policy_limit', expect.stringContaining(`${MAX_POLICIES + 1} policies`)])
  })
})

describe('what is not a mistake', () => {
  test.each([
    ['no policy at all', ''],
    ['only a comment', '// nothing; yet "quoted\n'],
    [
      'semicolons and quotes inside strings and comments',
      `// ; "\n@id("a") @reason("stop; \\"now\\" // really") ${'\n'}forbid (principal, action, resource); // ; done`,
    ],
    ['windows line ends', PERMIT.replace(' ', '\r\n')],
    ['an approval among other exceptions', forbid(asking, ' unless { context.compensating || context.approvals.contains("a") }')],
    ['a large set', permitWhen(`[${Array.from({ length: 500 }, (_, i) => `"u${i}"`).join(',')}].contains(context.user)`)],
    ['the deepest that is allowed', permitWhen(`${'('.repeat(31)}true${'|| true'.repeat(120)}${')'.repeat(31)}`)],
    [
      'the deepest sets and conditions',
      permitWhen(
        `${'['.repeat(31)}1${']'.repeat(31)} == ${'['.repeat(31)}1${']'.repeat(31)} ${'|| (if true then true else true)'.repeat(60)}`,
      ),
    ],
  ])('%s', (_why, text) => {
    expect(engineOf(text).evaluate(requestOf()).kind).toMatch(/^(permitted|unmatched|forbidden)$/)
  })
})

test.each([
  ['role:lead', [{ role: 'lead', count: 1 }]],
  [
    'role:billing-lead x2, role:finance',
    [
      { role: 'billing-lead', count: 2 },
      { role: 'finance', count: 1 },
    ],
  ],
  ['role:a x9', [{ role: 'a', count: 9 }]],
  ['', undefined],
  ['lead', undefined],
  ['role:', undefined],
  ['role:Lead', undefined],
  ['role:a x0', undefined],
  ['role:a x10', undefined],
  ['role:a x-1', undefined],
  ['role:a  x2', undefined],
  ['role:a x2 x3', undefined],
  ['role:a,', undefined],
  ['role:a, role:a x2', undefined],
  ['role:a; role:b', undefined],
  ['user:mei', undefined],
  [Array.from({ length: 9 }, (_, i) => `role:r${i}`).join(','), undefined],
])('approvers "%s"', (text, rules) => {
  expect(parseApprovers(text)).toEqual(rules)
})

describe('the schema', () => {
  test('refuses operations that contradict each other', () => {
    expect(refusal(() => generateSchema([...operations, { id: 'mail.send', tool: 'mail' }], [])).code).toBe('schema_invalid')
    expect(refusal(() => generateSchema([{ id: 'desk.read', tool: 'mail' }], [])).code).toBe('schema_invalid')
  })

  test('does not depend on the order of declarations', () => {
    const twice = [operations, operations.toReversed()].map((list) => JSON.stringify(generateSchema(list, [])))
    expect(twice[0]).toBe(twice[1])
  })

  test('serves a project that has declared nothing yet: everything is denied', () => {
    const engine = createCedarEngine({ policies: [{ file: 'a', text: '' }], schema: generateSchema([], []) })
    expect(engine.evaluate(requestOf()).kind).toBe('broken')
  })
})

test('each policy loads alone and together', () => {
  for (const text of [PERMIT, ASK, DRY, DENY, PERMIT + ASK + DRY + DENY]) expect(engineOf(text).version).toMatch(/^[0-9a-f]{64}$/)
})

test('the tables use every code of a policy set but the one for a crash of Cedar itself', () => {
  const used = new Set<string>([...bad.map(([, , code]) => code), 'schema_invalid', 'policy_link'])
  const about = CEDAR_ERROR_CODES.filter((code) => code.startsWith('policy') || code.startsWith('schema'))
  expect(about.filter((code) => !used.has(code))).toEqual(['policy_engine'])
})
