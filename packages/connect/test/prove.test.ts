import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ConnectRequest,
  type Detection,
  type HostAdapter,
  isClosed,
  judgeSurface,
  proofFileOf,
  proveHost,
  type ProvePorts,
  proveSurface,
  type Sighting,
  type SurfaceProof,
} from '../src/index.ts'

const AGENT = fileURLToPath(new URL('./agent-stand-in.ts', import.meta.url))
const RUN = { run: 'r1', operation: 'host.bash', observes: false } as const
const ALLOWED: Sighting = { ...RUN, outcome: 'allow', started: true }
const DENIED: Sighting = { ...RUN, outcome: 'deny', started: false }

describe('one way of acting is judged by its traces', () => {
  const cases: readonly (readonly [string, readonly Sighting[], boolean, string | undefined, SurfaceProof['state']])[] = [
    ['in the ledger, and done', [ALLOWED], true, undefined, 'intercepted'],
    ['in the ledger, denied, not done', [DENIED], false, undefined, 'intercepted'],
    ['in the ledger, only observed, done', [{ ...DENIED, observes: true }], true, undefined, 'intercepted'],
    ['in the ledger, denied, and done all the same', [DENIED], true, undefined, 'open'],
    ['not in the ledger, and done', [], true, 'no such tool', 'open'],
    ['neither, and the host has no such way', [], false, 'no such tool', 'absent'],
    ['neither', [], false, undefined, 'unfired'],
  ]
  test.each(cases)('%s', (_, sightings, happened, absent, state) => {
    expect(judgeSurface('s', { sightings, happened, why: 'why', ...(absent === undefined ? {} : { absent }) }).state).toBe(state)
  })

  test('only what was intercepted, or is not there, counts in a proof', () => {
    const all = (['intercepted', 'absent', 'open', 'unfired'] as const).map((state) => ({ name: state, state, detail: '' }))
    expect(all.map((surface) => isClosed(surface))).toEqual([true, true, false, false])
    const proof = proofFileOf({ name: 'a' }, { kind: 'mcp' }, DETECTION, { surfaces: all, atMs: 1, configDigest: 'd' })
    expect(proof.surfaces.map(({ intercepted }) => intercepted)).toEqual([true, true, false, false])
  })
})

const DETECTION: Detection = { installed: true, version: '1', files: [], notes: [], surfaces: ['hook:Bash'] }
let door: Server
let doorUrl = ''
let permits = true
let recorded: string[] = []
let records = true
beforeEach(async () => {
  permits = records = true
  recorded = []
  door = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (records) recorded.push(body)
      response.end(JSON.stringify({ permit: permits }))
    })
  })
  await new Promise<void>((resolve) => {
    door.listen(0, '127.0.0.1', resolve)
  })
  doorUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
})
afterEach(() => {
  door.close()
})

/** A host of the stand-in, which acts in one manner. */
function hostThat(manner: string, seen: { scratch?: string } = {}): HostAdapter {
  const nothing = async () => ({ edits: [], notes: [] })
  return {
    kind: 'mcp',
    title: 'a stand-in',
    detect: async () => DETECTION,
    plan: nothing,
    check: async () => [],
    withdraw: () => ({ state: 'clean', after: undefined, removed: [] }),
    prove: async (_, ports) => {
      seen.scratch = ports.scratch
      return [await proveSurface(ports, 'hook:Bash', async (canary) => fire(ports, manner, canary))]
    },
  }
}

function fire(
  ports: ProvePorts,
  manner: string,
  canary: Parameters<Parameters<typeof proveSurface>[2]>[0],
): ReturnType<Parameters<typeof proveSurface>[2]> {
  const word = ports.model.play([[{ tool: 'Bash', input: { command: `cat ${canary.file}` } }]])
  const args = [AGENT, manner, ports.model.url, doorUrl, word]
  const started = ports.start(process.execPath, args, { env: { PATH: process.env.PATH }, cwd: ports.scratch })
  return Promise.resolve({
    canary,
    over: started.ended,
    timeoutMs: 15_000,
    results: () => ports.model.results(word),
    end: () => started.stop(),
    absent: () => (ports.model.offered(word).includes('Bash') || ports.model.requests() === 0 ? undefined : 'it offers no Bash'),
    why: () => 'nothing came',
  })
}

function prove(adapter: HostAdapter): Promise<readonly SurfaceProof[]> {
  const sightings = async (word: string): Promise<readonly Sighting[]> =>
    recorded.filter((body) => body.includes(word)).map(() => (permits ? ALLOWED : DENIED))
  const ports = { sightings, tools: [], note: () => {}, signal: new AbortController().signal }
  // Only what a fake adapter looks at, which is nothing.
  return proveHost(adapter, {} as ConnectRequest, DETECTION, ports)
}

describe('a real program, with a model that follows a script', () => {
  test('that asks is intercepted, and nothing is left of the scratch folder', async () => {
    const seen: { scratch?: string } = {}
    expect(await prove(hostThat('asks', seen))).toMatchObject([{ name: 'hook:Bash', state: 'intercepted' }])
    expect(existsSync(seen.scratch ?? '/')).toBe(false)
  })

  test('that asks and is denied is intercepted', async () => {
    permits = false
    expect(await prove(hostThat('asks'))).toMatchObject([{ state: 'intercepted', detail: expect.stringContaining('deny') }])
  })

  test('that goes around is open', async () => {
    expect(await prove(hostThat('around'))).toMatchObject([{ state: 'open' }])
  })

  test('that asks somebody who does not record is open: only the ledger counts', async () => {
    records = false
    expect(await prove(hostThat('asks'))).toMatchObject([{ state: 'open' }])
  })

  test('that does what was denied is open', async () => {
    permits = false
    expect(await prove(hostThat('stubborn'))).toMatchObject([{ state: 'open' }])
  })

  test('that has no such tool has nothing to be intercepted', async () => {
    permits = records = false
    expect(await prove(hostThat('handless'))).toMatchObject([{ state: 'absent' }])
  })

  test('that does nothing proves nothing', async () => {
    expect(await prove(hostThat('mute'))).toMatchObject([{ state: 'unfired', detail: 'nothing came' }])
  })
})

test('a way that an adapter does not fire at, and a host that cannot be proved at all, are unfired', async () => {
  const { prove: _, ...plain } = hostThat('asks')
  expect(await prove(plain)).toMatchObject([{ name: 'hook:Bash', state: 'unfired' }])
  expect(await prove({ ...plain, prove: async () => [] })).toMatchObject([{ name: 'hook:Bash', state: 'unfired' }])
  const broken = async (): Promise<never> => {
    throw new Error('it does not start')
  }
  expect(await prove({ ...plain, prove: broken })).toMatchObject([{ state: 'unfired', detail: 'it does not start' }])
})
