import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCheckpoint, parseVerifierKey } from '@tidegate/kernel'
import { createWitness, createWitnessServer, openCheckpointStore, openKeyFile } from '@tidegate/witness'
import { afterEach, describe, expect, test } from 'vitest'
import { nodeHasher, nodeVerifier } from '@tidegate/crypto-node'
import { sampleLog, seededSigner } from '../../../packages/witness/test/sample-log.ts'
import { createHttpWitness } from '../src/index.ts'

const log = sampleLog(seededSigner('example.com/ledger', 1), 'entry')
const fork = sampleLog(seededSigner('example.com/ledger', 1), 'lie')
const stranger = sampleLog(seededSigner('example.com/stranger', 5), 'entry')
const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

function ask(url: string, timeoutMs = 2000) {
  const witness = createHttpWitness({ url, timeoutMs })
  closers.push(() => witness.close())
  return (from: typeof log, oldSize: number, size: number) =>
    witness.cosign({ oldSize, proof: from.proof(oldSize, size), checkpoint: from.checkpoint(size) })
}

test('a real witness cosigns, remembers and refuses', async () => {
  const state = mkdtempSync(join(tmpdir(), 'tidegate-witness-http-'))
  closers.push(() => rmSync(state, { recursive: true, force: true }))
  const store = openCheckpointStore(state)
  const signer = openKeyFile(join(state, 'witness.key'), 'witness.example/w1')
  const witness = createWitness({ signer, logKeys: [log.key], store, nowSeconds: () => 1_763_600_000 })
  const failures: unknown[] = []
  const cosign = ask(await listen(createWitnessServer(witness, (error) => failures.push(error))))

  const answer = await cosign(log, 0, 7)
  const note = log.checkpoint(7) + (answer.kind === 'cosigned' ? answer.signatureLines : '')
  const trust = { logKeys: [log.key], witnessKeys: [parseVerifierKey(nodeHasher, witness.verifierKey)] }
  expect(openCheckpoint(nodeVerifier, note, trust)).toMatchObject({ kind: 'verified', checkpoint: { size: 7 } })

  expect(await cosign(log, 7, 300)).toMatchObject({ kind: 'cosigned' })
  expect(await cosign(log, 7, 300)).toEqual({ kind: 'conflict', heldSize: 300 })
  expect(await cosign(fork, 300, 300)).toMatchObject({ kind: 'refused', because: 'bad_proof' })
  expect(await cosign(stranger, 0, 7)).toMatchObject({ kind: 'refused', because: 'unknown_log' })
  expect(await cosign(log, 300, 7)).toMatchObject({ kind: 'refused', because: 'malformed' })
  expect(failures).toEqual([])
})

describe('a witness that is none', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['a page', (response) => response.end('<html>')],
    ['an empty 200', (response) => response.end()],
    ['a signature line that is none', (response) => response.end('\u2014 w AAAA\n')],
    ['bytes that are no text', (response) => response.end(Buffer.from([0xff, 0x0a]))],
    ['far too much', (response) => response.end('\u2014 w AAAAAAAA\n'.repeat(20_000))],
    ['a conflict without a size', (response) => response.writeHead(409).end('soon\n')],
    ['a conflict past all numbers', (response) => response.writeHead(409).end('9999999999999999\n')],
    ['a redirect', (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['a failure', (response) => response.writeHead(500).end()],
    ['silence', () => undefined],
    ['half an answer', (response) => response.writeHead(200, { 'content-length': 100 }).write('\u2014 w')],
    ['a closed connection', (response) => response.destroy()],
  ])('that sends %s is unreachable', async (_what, reply) => {
    const url = await listen(createServer((_request, response) => reply(response)))
    expect(await ask(url, 300)(log, 0, 7)).toMatchObject({ kind: 'refused', because: 'unreachable' })
  })

  test('that does not listen is unreachable', async () => {
    const server = createServer()
    const url = await listen(server)
    server.close()
    expect(await ask(url)(log, 0, 7)).toMatchObject({
      kind: 'refused',
      because: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test.each(['', 'ftp://x/', 'http://user:secret@x/', 'http://x/?a', 'http://x/#a', 'file:///etc/passwd'])(
    'the URL %j is refused',
    (url) => {
      expect(() => createHttpWitness({ url })).toThrow(expect.objectContaining({ code: 'witness_url_unusable' }))
      try {
        createHttpWitness({ url })
      } catch (error) {
        expect(String(error)).not.toContain('secret')
      }
    },
  )
})
