import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHostClient, type GovernOptions, governCall, governTool, governTools, type HostClient } from '../src/index.ts'

type Body = Readonly<Record<string, unknown>>
let server: Server
let host: HostClient
let url: string
let asked: { path: string; body: Body }[]
let answer: (body: Body) => unknown

beforeEach(async () => {
  asked = []
  answer = (body) => ({ answer: 'permit', arguments: body.arguments })
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const body = JSON.parse(text) as Body
    asked.push({ path: request.url ?? '', body })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(request.url === '/v1/host/calls' ? { run: 'run-1', mode: 'enforce', ...(answer(body) as object) } : {}),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  host = createHostClient({ url, token: 'a-token', timeoutMs: 2_000 })
})
afterEach(() => {
  host.close()
  server.closeAllConnections()
  server.close()
})

const options = (over: Partial<GovernOptions> = {}): GovernOptions => ({ host, session: 'c-1', ...over })
const reports = (): readonly Body[] => asked.filter(({ path }) => path === '/v1/host/reports').map(({ body }) => body)

describe('one call', () => {
  const call = { tool: 'refund', arguments: { order: 'o-1', amount: 5 }, call: 't-1' }

  test('a permit: it is made once, with what was decided, and reported', async () => {
    answer = () => ({ answer: 'permit', arguments: { order: 'o-1', amount: 4 } })
    const made: unknown[] = []
    const result = await governCall(
      options({ waitMs: 9, person: 'user:mei', operations: { refund: 'shop.refund' } }),
      call,
      (args) => {
        made.push(args)
        return { done: true }
      },
    )
    expect([result, made]).toEqual([{ done: true }, [{ order: 'o-1', amount: 4 }]])
    const body = {
      session: 'c-1',
      call: 't-1',
      tool: 'shop.refund',
      by: 'host',
      waitMs: 9,
      person: 'user:mei',
      arguments: call.arguments,
    }
    expect(asked[0]).toEqual({ path: '/v1/host/calls', body })
    expect(reports()).toEqual([{ session: 'c-1', call: 't-1', ok: true, output: { done: true } }])
  })

  test('Tidegate has made it: its result is the result', async () => {
    answer = () => ({ answer: 'done', output: { refund: 'r-1' }, complete: true })
    expect(await governCall(options(), call, () => expect.unreachable())).toEqual({ refund: 'r-1' })
    expect(reports()).toEqual([])
  })

  const refusals: readonly (readonly [string, object, string, RegExp])[] = [
    ['denied', { reasons: ['too much'], failure: 'denied' }, 'not_permitted', /Denied by policy: too much/],
    ['pending', { approval: 'a-1', deadlineMs: 1, message: 'm' }, 'approval_pending', /#a-1.*again later/],
    ['rehearsed', { preview: { x: 1 }, reasons: [] }, 'not_permitted', /Only rehearsed/],
    ['stopped', { message: 'all' }, 'not_permitted', /Stopped: all/],
    ['failed', { message: 'm', failure: 'f' }, 'not_permitted', /could not/],
    ['unknown', { message: 'm' }, 'not_permitted', /could not/],
    ['ticket', { arguments: {}, ticket: 't' }, 'malformed_answer', /ticket/],
    ['perhaps', {}, 'malformed_answer', /unexpected/],
  ]
  test.each(refusals)('%s: it is not made', async (kind, rest, code, message) => {
    answer = () => ({ answer: kind, ...rest })
    const attempt = governCall(options(), call, () => expect.unreachable())
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(reports()).toEqual([])
  })

  test('what fails is reported as failed, and thrown on', async () => {
    const attempt = governCall(options(), call, () => Promise.reject(new Error('no money')))
    await expect(attempt).rejects.toThrow('no money')
    expect(reports()).toEqual([{ session: 'c-1', call: 't-1', ok: false, error: 'no money' }])
  })

  test('outputs of any kind and size can be reported', async () => {
    for (const output of ['text', undefined, ['x'], 'x'.repeat(400_000)]) await governCall(options(), call, () => output)
    const [text, nothing, list, long] = reports()
    expect([text?.output, nothing?.output, list?.output]).toEqual([{ content: 'text' }, { content: null }, { content: ['x'] }])
    expect([long?.truncated, JSON.stringify(long).length < 300_000]).toEqual([true, true])
  })

  test('nobody answers: it is not made, unless observing was said to be all this is for', async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(governCall(options(), call, () => expect.unreachable())).rejects.toMatchObject({ code: 'unreachable' })
    expect(await governCall(options({ unreachable: 'go' }), call, () => 'made')).toBe('made')
  })

  test('a call without an id of the framework gets one of its own', async () => {
    await governCall(options(), { ...call, call: undefined }, () => 1)
    await governCall(options(), { ...call, call: undefined }, () => 1)
    expect(asked[0]?.body.call).toMatch(/^[0-9a-f-]{36}$/)
    expect(asked[0]?.body.call).not.toBe(asked[2]?.body.call)
  })
})

describe('the tools of frameworks', () => {
  test('AI SDK: each tool keeps everything but who decides; generators give their last value', async () => {
    const tools = {
      add: { description: 'adds', execute: async ({ a, b }: { a: number; b: number }) => a + b },
      steps: {
        async *execute() {
          yield 'one'
          yield 'two'
        },
      },
      elsewhere: { description: 'is made by the client' },
    }
    const governed = governTools({ add: tools.add, steps: tools.steps, elsewhere: tools.elsewhere }, options())
    expect(await governed.add.execute({ a: 1, b: 2 })).toBe(3)
    expect(governed.add.description).toBe('adds')
    expect(
      await (governed.steps.execute as unknown as (input: object, extra: object) => Promise<string>)({}, { toolCallId: 'x' }),
    ).toBe('two')
    expect(governed.elsewhere).toBe(tools.elsewhere)
    expect(asked.filter(({ path }) => path.endsWith('calls')).map(({ body: { tool, call } }) => [tool, call === 'x'])).toEqual([
      ['add', false],
      ['steps', true],
    ])
  })

  test('LangChain: the tool keeps its class and its name; one that takes a text gets it', async () => {
    class Tool {
      readonly name: string
      readonly func: (input: unknown, runManager?: unknown, config?: unknown) => Promise<unknown>
      constructor(name: string, func: (input: unknown) => Promise<unknown>) {
        this.name = name
        this.func = func
      }
      invoke(input: unknown, config?: object): Promise<unknown> {
        return this.func(input, undefined, config)
      }
    }
    const echo = governTool(new Tool('echo', async (input) => input), options())
    expect([echo instanceof Tool, echo.name]).toEqual([true, 'echo'])
    expect(await echo.invoke({ a: 1 }, { toolCall: { id: 'c-9' } })).toEqual({ a: 1 })
    expect(await echo.invoke('a text')).toBe('a text')
    expect(asked[0]?.body).toMatchObject({ call: 'c-9', arguments: { a: 1 } })
    answer = () => ({ answer: 'denied', reasons: ['no'], failure: 'denied' })
    await expect(echo.invoke('a')).rejects.toMatchObject({ code: 'not_permitted' })
  })
})

describe('docs/guide/frameworks.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/guide/frameworks.md', import.meta.url)), 'utf8')
  const blocks = page
    .matchAll(/```ts\n([\s\S]*?)```/g)
    .map(([, code = '']) => code)
    .toArray()

  /** Runs an example as it stands in the page, with what it imports from a framework replaced by the little that it uses of it. */
  async function load(code: string): Promise<Readonly<Record<string, (...args: unknown[]) => unknown>>> {
    const directory = mkdtempSync(join(tmpdir(), 'tidegate-example-'))
    try {
      const frameworks = join(directory, 'frameworks.mjs')
      writeFileSync(
        frameworks,
        'export const tool = (a, b) => typeof a === "function" ? { ...b, func: a, invoke: function (input, config) { return this.func(input, undefined, config) } } : a\n',
      )
      const here = (name: string): string => JSON.stringify(import.meta.resolve(name))
      const runnable = code
        .replaceAll(/'(?:ai|@langchain\/core\/tools)'/g, JSON.stringify(pathToFileURL(frameworks).href))
        .replaceAll("'@tidegate/client'", JSON.stringify(new URL('../src/index.ts', import.meta.url).href))
        .replaceAll("'zod'", here('zod'))
      const file = join(directory, 'example.ts')
      writeFileSync(file, runnable)
      return await import(pathToFileURL(file).href)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  test('has an example for each framework, and each runs', async () => {
    expect(blocks.length).toBe(3)
    const [ai, langchain, any] = await Promise.all(blocks.map(load))
    answer = ({ tool, arguments: args }) =>
      (args as { amount?: number }).amount === 5
        ? { answer: 'permit', arguments: args }
        : { answer: 'denied', reasons: [String(tool)], failure: 'denied' }
    type Tool = { execute: (input: object, extra: object) => Promise<unknown>; invoke: (input: object) => Promise<unknown> }
    const tools = ai?.governedTools?.(url, 'a-token', 'c-1') as Record<string, Tool>
    const refund = tools.refund
    expect(await refund?.execute({ order: 'o-1', amount: 5 }, { toolCallId: 't' })).toContain('o-1')
    await expect(refund?.execute({ order: 'o-1', amount: 50 }, { toolCallId: 'u' })).rejects.toThrow('shop.refund.create')
    const tool = langchain?.governedTool?.(url, 'a-token', 'c-1') as Tool
    expect(await tool.invoke({ order: 'o-1', amount: 5 })).toContain('o-1')
    await expect(tool.invoke({ order: 'o-1', amount: 50 })).rejects.toThrow('shop.refund.create')
    expect(await any?.refund?.(url, 'a-token', 'c-1', { order: 'o-1', amount: 5 })).toContain('o-1')
  })
})
