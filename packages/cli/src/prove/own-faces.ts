import { randomBytes } from 'node:crypto'
import type { OwnTool, Sighting, SurfaceProof } from '@tidegate/connect'
import { ERAS, type Era, openConversation } from './mcp-speaker.ts'

/** Our own ways in, of one host. */
export interface Faces {
  readonly url: string
  readonly host: { readonly name: string; readonly kind: string; readonly mode: 'observe' | 'enforce'; readonly tickets: boolean }
  readonly token: string
  readonly tools: readonly OwnTool[]
  sightings(word: string): Promise<readonly Sighting[]>
  readonly signal: AbortSignal
}

/** One way in, tried with a canary. `refused`: it was turned away before anything could happen. */
export interface FaceProof {
  readonly name: string
  readonly state: SurfaceProof['state'] | 'refused'
  readonly detail: string
}

/** True for a door that was seen to be shut, or to record. */
export function isShut({ state }: Pick<FaceProof, 'state'>): boolean {
  return state !== 'open' && state !== 'unfired'
}

const CALL_MS = 30_000

/** Fires canaries at our own doors for one host: its calls over HTTP, and MCP in both eras, with and without a ticket. */
export async function proveFaces(faces: Faces): Promise<readonly FaceProof[]> {
  return [
    await attempt('host-calls', () => fireHostCall(faces)),
    ...(await Promise.all(ERAS.map((era) => attempt(`mcp-${era}`, () => fireMcp(faces, era))))),
    await attempt('other-token', () => fireWithoutToken(faces)),
  ]
}

export function newWord(): string {
  return `tidegate-canary-${randomBytes(16).toString('hex')}`
}

/** What breaks on the way says nothing. */
export async function attempt(name: string, work: () => Promise<Omit<FaceProof, 'name'>>): Promise<FaceProof> {
  try {
    return { name, ...(await work()) }
  } catch (error) {
    return { name, state: 'unfired', detail: error instanceof Error ? error.message : String(error) }
  }
}

/** A look that the host would do itself. It is decided and recorded; nobody does it. */
async function fireHostCall({ url, host, token, sightings, signal }: Faces): Promise<Omit<FaceProof, 'name'>> {
  const word = newWord()
  const session = 'tidegate-doctor'
  const looks: Readonly<Record<string, readonly [string, object]>> = {
    'claude-code': ['Read', { file_path: `/${word}` }],
    openclaw: ['memory_search', { query: word }],
  }
  const [tool, args] = looks[host.kind] ?? [word, { word }]
  const post = (path: string, body: object) =>
    fetch(new URL(`/v1/host/${path}`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
    })
  const answer = await post('calls', { session, call: word, tool, arguments: args, by: 'host', waitMs: 0 })
  const text = (await answer.text()).slice(0, 200)
  await post('reports', { session, call: word, ok: false, error: 'a canary: it was not done' })
  const [seen] = await sightings(word)
  if (seen !== undefined)
    return { state: 'intercepted', detail: `run ${seen.run}: ${seen.operation}, ${seen.outcome ?? 'refused'}` }
  return answer.ok
    ? { state: 'open', detail: `it was answered, and the ledger knows nothing of it: ${text}` }
    : { state: 'refused', detail: `answered ${answer.status}` }
}

/** One of our tools over MCP, without a ticket: where tickets are needed it must be refused, and stand in the ledger all the same. */
async function fireMcp({ url, token, tools, host, sightings, signal }: Faces, era: Era): Promise<Omit<FaceProof, 'name'>> {
  const mcp = await openConversation({ url, token, era, signal })
  const word = newWord()
  const tool = tools.find(({ harmless }) => harmless !== undefined)
  if (tool?.harmless === undefined) {
    const { isError, text } = await mcp.call(word, { word })
    return isError
      ? { state: 'refused', detail: 'nothing harmless is offered to this host; what is not offered is refused' }
      : { state: 'open', detail: `a tool that does not exist was called: ${text.slice(0, 120)}` }
  }
  const { isError, text } = await mcp.call(tool.name, tool.harmless(word))
  const [seen] = await sightings(word)
  const needsTicket = host.tickets && host.mode === 'enforce'
  if (seen === undefined) {
    return isError
      ? { state: 'refused', detail: `${tool.name} was refused before it was a call: ${text.slice(0, 160)}` }
      : { state: 'open', detail: `${tool.name} was done, and the ledger knows nothing of it` }
  }
  if (needsTicket && (seen.started || !isError)) return { state: 'open', detail: `run ${seen.run}: it was done without a ticket` }
  return {
    state: 'intercepted',
    detail: `run ${seen.run}: ${seen.operation}, ${needsTicket ? 'refused: no ticket' : (seen.outcome ?? 'refused')}`,
  }
}

/** A token of nobody opens nothing. */
async function fireWithoutToken({ url, signal }: Faces): Promise<Omit<FaceProof, 'name'>> {
  const token = randomBytes(32).toString('base64url')
  const statuses = await Promise.all(
    ['/v1/host/calls', '/mcp', '/v1/triggers'].map(async (path) => {
      const answer = await fetch(new URL(path, url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: '{}',
        signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
      })
      return answer.status
    }),
  )
  return statuses.every((status) => status === 401)
    ? { state: 'refused', detail: 'without a token nothing is answered' }
    : { state: 'open', detail: `without a token it answers ${statuses.join(', ')}` }
}
