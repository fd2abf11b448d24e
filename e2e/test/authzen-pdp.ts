import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServer } from '../src/server-process.ts'

const FIXTURE = fileURLToPath(new URL('../../examples/authzen-fixture', import.meta.url))

export type PdpPerson = 'gate' | 'alice' | 'bob' | 'carol' | 'operator'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The parsed body, or its text when it is not JSON. */
  readonly body: Answered
}

/** Any of the answers, as a test reads them. */
export interface Answered {
  readonly decision?: boolean
  readonly context?: Readonly<Record<string, unknown>> & { readonly reason?: string; readonly access_request?: AccessHint }
  readonly evaluations?: readonly Answered[]
  readonly results?: readonly { readonly type?: string; readonly id?: string; readonly name?: string }[]
  readonly page?: { readonly next_token: string; readonly count: number }
  readonly task?: {
    readonly id: string
    readonly status: string
    readonly status_endpoint: string
    readonly links?: { readonly cancel: string }
  }
  readonly result?: { readonly mode: string; readonly approval: Readonly<Record<string, string>> }
  readonly [other: string]: unknown
}

export interface AccessHint {
  readonly expires_at: string
  readonly binding_token: string
}

/** How something is asked; a POST of JSON by the gate unless told. */
export interface Asking {
  readonly as?: PdpPerson | 'nobody'
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is, instead of JSON. */
  readonly raw?: string
}

/** From this length on a body is only announced, and its beginning sent. */
const LARGE = 1_000_000
const PIECE = 65_536

/** The fixture, as a server in a process of its own. */
export interface Pdp {
  readonly url: string
  readonly project: string
  ask(path: string, body?: unknown, asking?: Asking): Promise<Answer>
  /** Ends the server and starts it again on the same state. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  close(): Promise<void>
}

/** Starts the fixture in a directory of its own. `configure` changes its tidegate.yaml before. */
export async function startPdp(configure: (text: string) => string = (text) => text): Promise<Pdp> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-pdp-'))
  const project = join(directory, 'project')
  cpSync(FIXTURE, project, { recursive: true, filter: (path) => !path.endsWith('.tidegate') })
  const file = join(project, 'tidegate.yaml')
  writeFileSync(file, configure(readFileSync(file, 'utf8')))
  const launch = (): ServerProcess => startServer({ project, readyFile: join(directory, 'ready.json') })
  let server = launch()
  let url = await server.ready()
  const tokenOf = (person: PdpPerson): string =>
    readFileSync(join(project, '.tidegate', 'tokens', `${person}.token`), 'utf8').trim()
  return {
    project,
    get url() {
      return url
    },
    ask(path, body, { as = 'gate', method = body === undefined ? 'GET' : 'POST', headers = {}, raw } = {}) {
      const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
      const all = {
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${tokenOf(as)}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }
      return send(path.startsWith('http') ? path : `${url}${path}`, method, all, text)
    },
    async restart(signal) {
      await server.stop(signal)
      server = launch()
      url = await server.ready()
    },
    async close() {
      await server.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function send(url: string, method: string, headers: Readonly<Record<string, string>>, text: string | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))
  const sending = request(url, { method, headers: given, agent: false }, (response) => {
    const chunks: Buffer[] = []
    const end = (): void => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parse(Buffer.concat(chunks).toString()) })
    }
    response
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', end)
      .once('error', end)
  })
  sending.once('error', reject)
  sending.setTimeout(20_000, () => sending.destroy(new Error('no answer')))
  if (text === undefined || text.length < LARGE) sending.end(text)
  else {
    // Announced as a whole, and no more sent than the beginning: the server refuses it without having read it.
    sending.setHeader('content-length', Buffer.byteLength(text))
    sending.write(text.slice(0, PIECE))
    promise.finally(() => sending.destroy()).catch(() => undefined) // whoever waits for the answer has the rejection
  }
  return promise
}

function parse(text: string): Answered {
  try {
    return JSON.parse(text) as Answered
  } catch {
    return { text }
  }
}
