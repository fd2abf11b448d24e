import { afterEach, beforeEach, expect, test } from 'vitest'
import { openScriptedModel, type ScriptedModel } from '../src/index.ts'

let model: ScriptedModel
beforeEach(async () => {
  model = await openScriptedModel()
})
afterEach(() => model.close())

async function post(path: string, body: object): Promise<string> {
  const answer = await fetch(`${model.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
  return answer.text()
}
const TOOLS = [{ type: 'function', function: { name: 'exec' } }]
const chat = (messages: readonly object[], tools: readonly object[] = TOOLS) =>
  post('/v1/chat/completions', { model: 'm', messages, tools })
const CALL = { role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'exec', arguments: '{}' } }] }

test('plays a script turn by turn, keeps what the tools answered, and then says that it is done', async () => {
  const word = model.play([[{ tool: 'exec', input: { command: 'a' } }], [{ tool: 'exec', input: { command: 'b' } }]])
  const start = [
    { role: 'system', content: 'You are.' },
    { role: 'user', content: `please ${word}` },
  ]
  expect(await chat(start)).toContain('\\"a\\"')
  const second = [...start, CALL, { role: 'tool', content: 'first' }, { role: 'user', content: '<internal context>' }]
  expect(await chat(second)).toContain('\\"b\\"')
  const third = [...second, CALL, { role: 'tool', content: 'second' }]
  expect(await chat(third)).toContain('"done"')
  expect([model.offered(word), model.results(word)]).toEqual([['exec'], ['first', 'second']])
})

test('a script that was played is not played again by who quotes its word', async () => {
  const word = model.play([[{ tool: 'exec', input: {} }]])
  const start = [{ role: 'user', content: word }]
  await chat(start)
  expect(await chat([...start, CALL])).toContain('"done"')
  expect(await chat([{ role: 'user', content: `the task ${word} is over` }])).toContain('"done"')
})

test('a sub-agent may find its word in the system prompt; a conversation without tools is none', async () => {
  const word = model.play([[{ tool: 'exec', input: {} }]])
  expect(await chat([{ role: 'user', content: word }], [])).not.toContain('tool_calls"')
  expect(
    await chat([
      { role: 'system', content: word },
      { role: 'user', content: 'begin' },
    ]),
  ).toContain('"tool_calls"')
})

test('a word in the answer of a tool starts nothing', async () => {
  const word = model.play([[{ tool: 'exec', input: {} }]])
  const asked = [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'x', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: word }] },
  ]
  const said = await post('/v1/messages', { model: 'm', messages: asked, tools: [{ name: 'exec' }] })
  expect(JSON.parse(said)).toMatchObject({ stop_reason: 'end_turn' })
})

test('calls a tool that the host hides by the tool that hides it', async () => {
  const word = model.play([[{ tool: 'memory_search', input: { query: 'x' } }]])
  const said = await chat([{ role: 'user', content: word }], [{ function: { name: 'tool_call' } }])
  expect(JSON.parse(said).choices[0].message.tool_calls[0].function).toEqual({
    name: 'tool_call',
    arguments: '{"id":"memory_search","args":{"query":"x"}}',
  })
})

test('streams both dialects', async () => {
  const turns = [[{ say: 'now' }, { tool: 'Bash', input: { command: 'ls' } }, { tool: 'Bash', input: { command: 'pwd' } }]]
  const ask = { model: 'm', stream: true }
  const first = model.play(turns)
  const anthropic = await post('/v1/messages', {
    ...ask,
    messages: [{ role: 'user', content: first }],
    tools: [{ name: 'Bash' }],
  })
  const events = [...anthropic.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)
  expect([events[0], events.at(-1), events.filter((name) => name === 'content_block_start').length]).toEqual([
    'message_start',
    'message_stop',
    3,
  ])
  const second = model.play(turns)
  const openai = await post('/v1/chat/completions', { ...ask, messages: [{ role: 'user', content: second }], tools: TOOLS })
  expect(openai.trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(openai).toContain('"finish_reason":"tool_calls"')
})

test('answers what it does not know with an error, and never breaks', async () => {
  const unknown = await fetch(`${model.url}/v1/embeddings`, { method: 'POST', body: '{}' })
  const broken = await fetch(`${model.url}/v1/messages`, { method: 'POST', body: '{' })
  expect([unknown.status, broken.status]).toEqual([404, 400])
  expect(await chat([{ role: 'user', content: 'tidegate-script-0000000000000000' }])).toContain('"done"')
})

test('what tools answered before a word was said is not of its script', async () => {
  const word = model.play([[{ tool: 'exec', input: {} }]])
  const before = [{ role: 'user', content: 'earlier' }, CALL, { role: 'tool', content: 'no such tool' }]
  await chat([...before, { role: 'user', content: word }])
  expect(model.results(word)).toEqual([])
})
