import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { CLIENT_ERROR_CODES, type Client, ClientError, createClient } from '../src/index.ts'

const open: { server: Server; client: Client }[] = []
afterEach(() => {
  for (const { server, client } of open.splice(0)) {
    client.close()
    server.closeAllConnections()
    server.close()
  }
})

async function against(
  listener: RequestListener,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Client> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  // Sound: a server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  const client = createClient({ url: `http://127.0.0.1:${port}`, token: 'a-token', ...options })
  open.push({ server, client })
  return client
}

function answering(status: number, type: string, text: string): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(text)
  }
}

const HEAD = JSON.stringify({ size: 3, root: 'cm9vdA==', epoch: 1, checkpoint: 'note' })
const problem = (status: number, code: string) =>
  JSON.stringify({ type: 'urn:x', title: 't', status, detail: 'what to do', code })

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ClientError)
  const { code, message } = error as ClientError
  expect(CLIENT_ERROR_CODES).toContain(code)
  expect(message).not.toContain('a-token')
  return code
}

describe('answers', () => {
  const cases: readonly (readonly [string, number, string, string, string])[] = [
    ['a page of something else', 200, 'text/html', '<html>', 'malformed_answer'],
    ['half of JSON', 200, 'application/json', '{"size":', 'malformed_answer'],
    ['another shape', 200, 'application/json', '{"size":"3"}', 'malformed_answer'],
    ['a refusal', 404, 'application/problem+json', problem(404, 'not_found'), 'problem'],
    ['a refusal of the token', 401, 'application/problem+json', problem(401, 'unauthorized'), 'unauthorized'],
    ['a refusal in another shape', 500, 'application/json', '{"error":"x"}', 'malformed_answer'],
    ['a refusal by something in between', 502, 'text/html', 'Bad gateway', 'malformed_answer'],
    ['a way to somewhere else', 302, 'text/plain', '', 'malformed_answer'],
  ]
  test.each(cases)('%s', async (_, status, type, text, code) => {
    const client = await against(answering(status, type, text))
    expect(await codeOf(client.ledgerHead())).toBe(code)
  })

  test('a good one is checked, and unknown keys are dropped', async () => {
    const client = await against(answering(200, 'application/json', HEAD.replace('{', '{"later":true,')))
    expect(await client.ledgerHead()).toEqual(JSON.parse(HEAD))
  })

  test('a refusal carries what the gateway said', async () => {
    const client = await against(answering(409, 'application/problem+json', problem(409, 'already_voted')))
    await expect(client.ledgerHead()).rejects.toMatchObject({
      code: 'problem',
      message: 'what to do',
      problem: { code: 'already_voted' },
    })
  })
})

describe('what does not answer', () => {
  test('nobody listens', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1' })
    expect(await codeOf(client.health())).toBe('unreachable')
  })

  test('it takes too long, also when the answer only trickles', async () => {
    const silent = await against(() => undefined, { timeoutMs: 60 })
    expect(await codeOf(silent.health())).toBe('timeout')
    const trickling = await against(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{')
      },
      { timeoutMs: 60 },
    )
    expect(await codeOf(trickling.health())).toBe('timeout')
  })

  test('it hangs up in the middle', async () => {
    const client = await against((request) => request.socket.destroy())
    expect(await codeOf(client.stops())).toBe('unreachable')
  })

  test('it is given up when the caller aborts', async () => {
    const abort = new AbortController()
    const client = await against(() => abort.abort(), { signal: abort.signal })
    await expect(client.stops()).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('connections', () => {
  /** Answers the first request, and cuts the second on the same connection. */
  function forgetful(seen: string[]): RequestListener {
    const served = new WeakSet<object>()
    return (request, response) => {
      seen.push(request.method ?? '')
      if (served.has(request.socket)) {
        request.socket.destroy()
        return
      }
      served.add(request.socket)
      answering(200, 'application/json', request.method === 'GET' ? HEAD : '{"run":"r","effects":1}')(request, response)
    }
  }

  test('a read that meets a closed one is sent again; a change never is', async () => {
    const seen: string[] = []
    const client = await against(forgetful(seen))
    await client.ledgerHead()
    expect((await client.ledgerHead()).size).toBe(3)
    expect(seen).toEqual(['GET', 'GET', 'GET'])
    expect(await codeOf(client.undo('r', 'why'))).toBe('unreachable')
    expect(seen).toEqual(['GET', 'GET', 'GET', 'POST'])
  })

  test('the token and the host are sent, and an id cannot leave its segment', async () => {
    let sent = { url: '', authorization: '', host: '' }
    const client = await against((request, response) => {
      sent = { url: request.url ?? '', authorization: request.headers.authorization ?? '', host: request.headers.host ?? '' }
      answering(404, 'application/problem+json', problem(404, 'not_found'))(request, response)
    })
    await codeOf(client.run('../stops?x=1#y'))
    expect(sent).toMatchObject({ url: '/v1/runs/..%2Fstops%3Fx%3D1%23y', authorization: 'Bearer a-token' })
    expect(sent.host).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(await codeOf(Promise.resolve().then(() => client.run('..')))).toBe('request_invalid')
  })
})

test.each(['ftp://127.0.0.1', 'http://user:pass@127.0.0.1', 'http://127.0.0.1/path', 'nonsense', ''])(
  '%s is no address',
  (url) => {
    expect(() => createClient({ url })).toThrow(ClientError)
  },
)

test('a token that cannot stand in a header is refused', () => {
  expect(() => createClient({ url: 'http://127.0.0.1:1', token: 'a\r\nx: y' })).toThrow(ClientError)
})
