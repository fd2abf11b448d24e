import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadWorkflow, parseInput } from '../src/workflow-file/index.ts'
import { OPTIONS, GOOD, load, problems } from './workflow-file-fixture.ts'

test('loads a workflow with its defaults', () => {
  const answer = load(GOOD)
  expect(answer).toMatchObject({
    ok: true,
    trigger: { source: 'boxes', event: 'box.full' },
    input: { boxId: { type: 'text', origin: 'system', maxLength: 200, required: true }, note: { required: false } },
    workflow: {
      name: 'close-boxes',
      environment: 'production',
      stage: 2,
      limits: { steps: 40, wallMs: 600_000, tokens: 50_000, costMicros: 1_000_000, repeats: 3, approvalMs: 86_400_000 },
      inputOrigins: { '/boxId': 'system', '/note': 'user' },
      success: { operation: 'box.read', arguments: { boxId: '$input/boxId' }, expect: { '/state': 'closed' } },
      onFailure: 'undo',
    },
  })
  if (!answer.ok) return
  expect([...answer.workflow.operations]).toEqual([
    ['box.read', { confine: { '/boxId': '$input/boxId' } }],
    ['box.close', { confine: {} }],
  ])
  expect(answer.graph?.nodes.get('sort')).toMatchObject({ by: { otherwise: { confidence: 2_000 } } })
  expect(answer.agent).toBeUndefined()
})

test('the version follows the content and nothing else', () => {
  const version = (text: string) => {
    const answer = load(text)
    return answer.ok ? answer.workflow.version : JSON.stringify(answer.problems)
  }
  const first = version(GOOD)
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(version(`# a comment\n${GOOD.replace('title: Close boxes', 'title:   "Close boxes"')}`)).toBe(first)
  expect(version(GOOD.replace('stage: 2', 'stage: 2\nonFailure: undo'))).toBe(first)
  expect(version(GOOD.replace('stage: 2', 'stage: 3'))).not.toBe(first)
  expect(version(GOOD.replace('0.95', '0.94'))).not.toBe(first)
  expect(version(GOOD.replace('Close {{', 'Shut {{'))).not.toBe(first)
  const elsewhere = loadWorkflow(GOOD, { ...OPTIONS, environment: 'staging' })
  expect(elsewhere.ok && elsewhere.workflow.version).not.toBe(first)
})

/** What is changed in the good file, and what is then said about it: line, column, path, message. */
test.each<[string, string, string, string]>([
  ['stage: 2', 'stagee: 2', '6:1: stagee: ', 'Unknown key "stagee". Did you mean "stage"?'],
  ['stage: 2', 'stage: 5', '6:8: stage: ', 'Write a stage from 0 to 4.'],
  ['stage: 2', 'stage: two', '6:8: stage: ', 'Write a stage from 0 to 4.'],
  ['title: Close boxes', 'title: ""', '2:8: title: ', 'Write something here.'],
  ['title: Close boxes', 'title: 7', '2:8: title: ', 'Expected a text, found 7.'],
  ['name: close-boxes', 'name: Close Boxes', '1:7: name: ', 'small letters'],
  ['planner: graph', 'planner: grph', '7:10: planner: ', 'is not one of graph, agent. Did you mean "graph"?'],
  ['planner: graph', 'planner: agent', '7:10: planner: ', 'needs at least a goal'],
  [
    '  - id: box.close',
    '  - id: box.clsoe',
    '11:9: operations[1].id: ',
    'No tool declares the operation "box.clsoe". Did you mean "box.close"?',
  ],
  ['  - id: box.close', '  - id: box.read', '11:9: operations[1].id: ', 'listed twice'],
  ['confine: { boxId: $input', 'confine: { boxIdd: $input', '10:16: operations[0].confine.boxIdd: ', 'Did you mean "boxId"?'],
  ['confine: { boxId: $input/boxId', 'confine: { boxId: b-1', '10:23: operations[0].confine.boxId: ', 'Confine to a reference'],
  [
    'confine: { boxId: $input/boxId',
    'confine: { boxId: $notes/sort/class',
    '10:23: operations[0].confine.boxId: ',
    'What the planner itself has noted',
  ],
  ['boxId: { origin: system }', 'boxId: { origin: sytem }', '13:20: input.boxId.origin: ', 'Did you mean "system"?'],
  ['  note: {', '  /note: {', '14:3: input["/note"]: ', 'A field has letters and digits'],
  ['event: box.full }', 'event: box.full, evnt: x }', '5:44: trigger.evnt: ', 'Did you mean "event"?'],
  [
    '  operation: box.read\n  arguments: { boxId: $input/boxId }\n  expect',
    '  operation: box.close\n  arguments: { boxId: $input/boxId }\n  expect',
    '16:14: success.operation: ',
    'changes the world',
  ],
  ['expect: { state: closed }', 'expect: { stat: closed }', '18:13: success.expect.stat: ', 'Did you mean "state"?'],
  ['expect: { state: closed }', 'expect: {}', '18:3: success.expect: ', 'Expect at least one value'],
  ['start: look', 'start: loook', '20:10: graph.start: ', 'There is no node "loook". Did you mean "look"?'],
  ['      next: sort', '      next: sorting', '26:13: graph.nodes.look.next: ', 'There is no node "sorting".'],
  [
    '      operation: box.read\n',
    '      operation: box.burn\n',
    '23:18: graph.nodes.look.operation: ',
    'The workflow does not list "box.burn". Add it to operations.',
  ],
  [
    '      arguments: { boxId: $input/boxId }',
    '      arguments: { box: $input/boxId }',
    '24:20: graph.nodes.look.arguments.box: ',
    'has no argument "box". Did you mean "boxId"?',
  ],
  [
    '      arguments: { boxId: $input/boxId }',
    '      arguments: {}',
    '24:7: graph.nodes.look.arguments: ',
    'needs the argument "boxId"',
  ],
  [
    '      arguments: { boxId: $input/boxId }',
    '      arguments: { boxId: $input/boxid }',
    '24:27: graph.nodes.look.arguments.boxId: ',
    'Did you mean "boxId"?',
  ],
  [
    '      arguments: { boxId: $input/boxId }',
    '      arguments: { boxId: $inputs/boxId }',
    '24:27: graph.nodes.look.arguments.boxId: ',
    'is no reference',
  ],
  [
    '[$seen/box.read/state,',
    '[$seen/box.close/state, $seen/box.burn/x,',
    '28:41: graph.nodes.sort.classify[1]: ',
    'The workflow does not list "box.burn"',
  ],
  [
    '[$seen/box.read/state,',
    '[$seen/box.read/stat,',
    '28:18: graph.nodes.sort.classify[0]: ',
    'box.read answers no "stat". Did you mean "state"?',
  ],
  ['[$seen/box.read/state,', '[hello,', '28:18: graph.nodes.sort.classify[0]: ', 'is no reference'],
  [
    'class: full,',
    'class: fulll,',
    '30:33: graph.nodes.sort.rules[0].class: ',
    'There is no class "fulll" in classes. Did you mean "full"?',
  ],
  [
    'confidence: 0.95',
    'confidence: 95',
    '30:51: graph.nodes.sort.rules[0].confidence: ',
    'Write a number from 0 (a guess) to 1 (certain)',
  ],
  ['any: [full], ', '', '30:11: graph.nodes.sort.rules[0]: ', 'A rule needs words'],
  [
    '{ full: close, other: stop }',
    '{ full: close, other: stop, empty: done }',
    '32:44: graph.nodes.sort.classes.empty: ',
    'No rule gives the class "empty".',
  ],
  [
    '$seen/box.read/id, why',
    '$seen/box.read/items/0/idd, why',
    '35:27: graph.nodes.close.arguments.boxId: ',
    'answers no "idd". Did you mean "id"?',
  ],
  ["'It is {{$seen", "'It is {{$sen", '', 'is no reference'],
  ['Close {{$input/boxId}}', 'Close {{$notes/look/x}}', '36:13: graph.nodes.close.goal: ', 'No node "look" takes notes'],
  [
    'Close {{$input/boxId}}',
    'Close {{$notes/sort/clas}}',
    '36:13: graph.nodes.close.goal: ',
    'notes no "clas". Did you mean "class"?',
  ],
  ['      next: done\n', '      next: close\n      onInvalid: look\n', '', 'No way leads to "done".'],
  ['onFailed: stop', 'onFail: stop', '38:7: graph.nodes.close.onFail: ', 'Did you mean "onFailed"?'],
  ['done: { finish: It is closed }', 'done: { finsh: It is closed }', '39:5: graph.nodes.done: ', 'Did you mean "finish"?'],
  [
    'done: { finish: It is closed }',
    'done: { finish: It is closed, giveUp: no }',
    '39:5: graph.nodes.done: ',
    'A node is one thing',
  ],
  [
    'done: { finish: It is closed }',
    'done: { finish: It is closed, next: stop }',
    '39:35: graph.nodes.done.next: ',
    'Unknown key "next"',
  ],
  ['      goal: Look at it\n', '', '22:5: graph.nodes.look.goal: ', '"goal" is missing. Add it.'],
  ['done: { finish: It is closed }', 'again: { finish: It is closed }', '39:5: graph.nodes.again: ', 'is taken'],
  ['done: { finish: It is closed }', 'Done: { finish: It is closed }', '39:5: graph.nodes.Done: ', 'small letters'],
  ['stage: 2', 'stage: 2\nlimits: { wall: 10 minutes }', '7:17: limits.wall: ', 'Write a duration such as 10m'],
  ['stage: 2', 'stage: 2\nlimits: { approval: 31d }', '7:21: limits.approval: ', 'at most 30d'],
  ['stage: 2', 'stage: 2\nlimits: { steps: 0 }', '7:18: limits.steps: ', 'whole number from 1'],
  ['stage: 2', 'stage: 2\nlimits: { cost: -1 }', '7:17: limits.cost: ', 'above 0'],
  ['stage: 2', 'stage: 2\ninstructions: { goal: x }', '7:1: instructions: ', 'for planner: agent'],
])('%j instead of %j is reported at %s', (good, bad, place, message) => {
  expect(GOOD).toContain(good)
  const found = problems(GOOD.replace(good, bad))
  expect(
    found.some((line) => line.startsWith(`w.yaml:${place}`) && line.includes(message)),
    found.join('\n'),
  ).toBe(true)
})

test.each([
  ['a duplicate key', GOOD.replace('stage: 2', 'stage: 2\nstage: 3'), 'w.yaml:7:1: This key stands here twice.'],
  ['an anchor', GOOD.replace('title: Close', 'title: &x Close'), 'w.yaml:2:11: Anchors'],
  ['an alias', GOOD.replace('title: Close boxes', 'title: *x'), 'w.yaml:2:8: Aliases'],
  ['a billion laughs', 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n', 'Aliases'],
  ['a custom tag', GOOD.replace('title: Close', 'title: !js Close'), 'w.yaml:2:8: Tags'],
  ['a standard tag', GOOD.replace('stage: 2', 'stage: !!int "2"'), 'Tags'],
  ['a directive', `%YAML 1.1\n---\n${GOOD}`, 'Directives'],
  ['a second document', `${GOOD}---\nname: x\n`, 'one document'],
  ['__proto__', GOOD.replace('stage: 2', 'stage: 2\n__proto__: { x: 1 }'), 'w.yaml:7:1: This key is not allowed.'],
  [
    '__proto__ in arguments',
    GOOD.replace('arguments: { boxId: $input/boxId }', 'arguments: { "__proto__": 1 }'),
    'This key is not allowed.',
  ],
  ['a number as key', GOOD.replace('stage: 2', 'stage: 2\n7: x'), 'A key must be a text.'],
  [
    'an unquoted {{',
    GOOD.replace('goal: Look at it', 'goal: {{$input/boxId}}'),
    'w.yaml:25:14: A text that begins with {{ needs quotes',
  ],
  ['infinity', GOOD.replace('stage: 2', 'stage: .inf'), 'w.yaml:6:8: This number'],
  ['a number that cannot be told', GOOD.replace('stage: 2', 'stage: 9007199254740993'), 'w.yaml:6:8: This number'],
  ['tabs', GOOD.replace('  start: look', '\tstart: look'), 'Use spaces'],
  ['an open bracket', 'a: [1', 'bracket'],
  ['deep nesting', `a: ${'['.repeat(5_000)}`, 'nests too deeply'],
  ['deep nesting that parses', `a: ${'['.repeat(200)}${']'.repeat(200)}`, 'nests too deeply'],
  ['an empty file', '', 'A workflow is a map'],
  ['a list', '- a', 'A workflow is a map'],
  ['too many bytes', `# ${'x'.repeat(262_144)}`, 'at most 262144'],
  ['half a character', 'a: "\uD800"', 'half a character'],
  ['invalid UTF-8', new Uint8Array([0x61, 0x3a, 0x20, 0xff]), 'not valid UTF-8'],
])('%s is refused', (_, text, message) => {
  expect(problems(text).join('\n')).toContain(message)
})

test('a node that cannot be reached and a loop without an end are reported', () => {
  const lonely = GOOD.replace('    stop:', '    lonely: { giveUp: nobody comes here }\n    stop:')
  expect(problems(lonely)).toEqual(['w.yaml:40:5: graph.nodes.lonely: No way leads to "lonely". Lead one there, or remove it.'])
  const loop = GOOD.replace('{ full: close, other: stop }', '{ full: round, other: stop }').replace(
    '    close:\n',
    '    round: { branch: [{ if: $input/note, exists: true, next: round }], otherwise: round-again }\n    round-again: { branch: [{ if: $input/note, exists: true, next: round }], otherwise: round }\n    close:\n',
  )
  expect(problems(loop).some((line) => line.includes('From "round" there is no way to a finish or giveUp node'))).toBe(true)
})

test('what is never called is never seen, and several problems are told at once, in order', () => {
  const text = GOOD.replace('- id: box.close', '- id: box.close\n  - id: box.burn')
    .replace('why: ', 'whi: ')
    .replace('[$seen/box.read/state,', '[$seen/box.burn/x,')
  const found = problems(text)
  expect(found).toHaveLength(2)
  expect(found[0]).toContain('No node of the graph calls box.burn')
  expect(found[1]).toContain('Did you mean "why"?')
})

test('whatever happens to a file, the answer is a workflow or problems with a place in it', () => {
  const lines = GOOD.split('\n')
  const junk = fc.constantFrom(
    '',
    'x',
    '- ',
    '  ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!t ',
    '$seen/',
    '{{',
    '~',
    'null',
    '0',
    '\t',
    '#',
    '|',
    '>',
    '%',
    '@',
    '\u0000',
    '\u2028',
    '界',
  )
  const place = fc.tuple(fc.nat(lines.length - 1), fc.nat(60), junk, fc.boolean())
  const spoil = (text: readonly string[], [line, column, piece, cut]: readonly [number, number, string, boolean]) =>
    text.with(
      line,
      cut
        ? (text[line] ?? '').slice(0, column) + piece
        : `${(text[line] ?? '').slice(0, column)}${piece}${(text[line] ?? '').slice(column)}`,
    )
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 3 }), (places) => {
      const spoilt = places.reduce(spoil, lines)
      const answer = load(spoilt.join('\n'))
      if (answer.ok) return
      expect(answer.problems.length).toBeGreaterThan(0)
      for (const { line, column, message } of answer.problems) {
        expect(line).toBeGreaterThanOrEqual(1)
        expect(line).toBeLessThanOrEqual(spoilt.join('\n').split(/\r\n|\n|\r/).length)
        expect(column).toBeGreaterThanOrEqual(1)
        expect(message).not.toBe('')
      }
    }),
    { numRuns: 300 },
  )
})

test('a file in bytes loads like one in text', () => {
  expect(load(new TextEncoder().encode(GOOD)).ok).toBe(true)
})

const AGENT = `${GOOD.slice(0, GOOD.indexOf('graph:\n  start')).replace('planner: graph', 'planner: agent')}instructions:
  goal: Close the box.
  rules: [Look first.]
  confidence: 0.9
`

test('an agent has instructions and no graph', () => {
  expect(load(AGENT)).toMatchObject({ ok: true, agent: { goal: 'Close the box.', rules: ['Look first.'], confidence: 9_000 } })
  expect(problems(AGENT.slice(0, AGENT.indexOf('instructions:'))).join()).toContain('needs at least a goal')
  expect(problems(AGENT.replace('goal: Close', 'gaol: Close')).join()).toContain('Did you mean "goal"?')
  expect(problems(AGENT.replace('boxId: $input/boxId }\n  expect', 'boxId: $notes/a/b }\n  expect')).join()).toContain(
    'Only a graph takes notes',
  )
})

test('an agent may be kept from what strangers wrote, and made to plan', () => {
  const strict = `${AGENT}  show: typed\n  plan: true\n`
  expect(load(strict)).toMatchObject({ ok: true, agent: { show: 'typed', plan: true } })
  const whole = 'approvals: { plan: whole, endorsers: [{ role: security }] }\n'
  const approvals = { plan: 'whole', endorsers: [{ role: 'security', count: 1 }] }
  expect(load(`${strict}${whole}`)).toMatchObject({ ok: true, workflow: { approvals } })
  expect(problems(`${AGENT}${whole}`).join()).toContain('Add plan: true under instructions')
  expect(problems(`${strict}${whole.replace('security', 'role:security')}`).join()).toContain('without a prefix')
  const plain = load(AGENT)
  expect(plain.ok && Object.keys(plain.agent ?? {})).toEqual(['goal', 'rules', 'confidence'])
  expect(problems(strict.replace('typed', 'type')).join()).toContain('Write "all", or "typed"')
  expect(problems(strict.replace('plan: true', 'plan: yes please')).join()).toContain('make a plan before it reads')
  expect(problems(strict.replace('show:', 'shows:')).join()).toContain('Did you mean "show"?')
})

test('a plan that could only be made after reading a stranger is refused', () => {
  const foreign = AGENT.replace('input:', 'input:\n  sender: { origin: third-party }')
  expect(problems(foreign)).toEqual([])
  expect(problems(`${foreign}  plan: true\n`).join()).toContain('the input "sender" is theirs')
  expect(problems(`${foreign}  plan: true\n  show: typed\n`)).toEqual([])
})

test('a step by a model is read, and mixing it with rules is refused', () => {
  const rules = GOOD.slice(GOOD.indexOf('      rules:'), GOOD.indexOf('      classes:'))
  const byModel = GOOD.replace(rules, '      model: { question: What is it? }\n')
  const answer = load(byModel)
  expect(answer.ok && answer.graph?.nodes.get('sort')).toMatchObject({
    by: { kind: 'model', instructions: 'What is it?', confidence: 9_200 },
  })
  expect(problems(GOOD.replace('      rules:', '      model: { question: x }\n      rules:')).join()).toContain(
    'Either a model classifies or rules do.',
  )
})

test.each([
  ['{ money: [EUR], pick: last }', ''],
  ['{ identifier: inv- }', ''],
  ['{ email: true }', ''],
  ['{ after: [at], before: [not] }', ''],
  ['{ money: [EURO] }', 'code of a currency'],
  ['{ before: [x] }', 'Say what to look for'],
  ['{ money: [EUR], email: true }', 'Say what to look for'],
  ['{ monye: [EUR] }', 'Did you mean "money"?'],
])('a field to extract: %s', (field, message) => {
  const text = GOOD.replace('full: close', 'full: find').replace(
    '    close:\n',
    `    find: { extract: [$input/note], fields: { x: ${field} }, next: close }\n    close:\n`,
  )
  const found = problems(text).join('\n')
  if (message === '') expect(found).toBe('')
  else expect(found).toContain(message)
})

test('the input of a trigger is held against the declared fields', () => {
  const answer = load(GOOD)
  if (!answer.ok) throw new Error('the good file loads')
  const paths = (input: Parameters<typeof parseInput>[1]) => {
    const parsed = parseInput(answer.input, input)
    return parsed.ok ? [] : parsed.issues.map(({ path }) => path)
  }
  expect(paths({ boxId: 'b-1' })).toEqual([])
  expect(paths({ boxId: 'b-1', note: 'x' })).toEqual([])
  expect(paths({})).toEqual(['/boxId'])
  expect(paths({ boxId: 7 })).toEqual(['/boxId'])
  expect(paths({ boxId: 'b-1', note: 'x'.repeat(21) })).toEqual(['/note'])
  expect(paths({ boxId: 'b-1', constructor: 'x' })).toEqual(['/constructor'])
})
