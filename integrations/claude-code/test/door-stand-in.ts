import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** One request that a hook made. */
export interface Asked {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface DoorStandIn {
  readonly url: string
  readonly asked: readonly Asked[]
  /** Answers calls from now on. */
  answer(with_: (body: Readonly<Record<string, unknown>>) => unknown): void
  close(): Promise<void>
}

const TOKEN = 'host-token-of-the-test'

/** A server that speaks the contract of hosts, announces itself in a project as the real one does, and answers as it is told. */
export async function openDoorStandIn(project: string, host = 'claude'): Promise<DoorStandIn> {
  const asked: Asked[] = []
  let answerer: (body: Readonly<Record<string, unknown>>) => unknown = (body) => ({ answer: 'permit', arguments: body.arguments })
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const send = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(text)
    }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return send(401, '{"detail":"The token is not known."}')
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Readonly<Record<string, unknown>>
    asked.push({ path: request.url ?? '', body })
    if (request.url !== '/v1/host/calls') return send(200, '{}')
    const answer = await answerer(body)
    if (typeof answer === 'string') return send(200, answer)
    if (typeof answer === 'number') return send(answer, '{"detail":"Refused by the test."}')
    send(200, JSON.stringify({ run: 'run-1', mode: 'enforce', ...(answer as object) }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  mkdirSync(join(project, '.tidegate', 'tokens'), { recursive: true })
  writeFileSync(join(project, '.tidegate', 'tokens', `host-${host}.token`), `${TOKEN}\n`, { mode: 0o600 })
  writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify({ url, pid: process.pid }))
  return {
    url,
    asked,
    answer: (next) => {
      answerer = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
