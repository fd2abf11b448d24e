import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { encodeSignatureLine, openCheckpoint, parseVerifierKey, type SignatureVerifier, signNote } from '@tidegate/kernel'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type CheckpointStore,
  createWitness,
  type LocalWitness,
  openCheckpointStore,
  openKeyFile,
  originHash,
  WitnessError,
} from '../src/index.ts'
import { nodeHasher, nodeSignatureVerifier } from '../src/node-crypto.ts'
import { sampleLog, seededSigner } from './sample-log.ts'

const logSigner = seededSigner('example.com/ledger', 1)
const log = sampleLog(logSigner, 'entry')
const fork = sampleLog(logSigner, 'lie')
const stranger = sampleLog(seededSigner('example.com/stranger', 5), 'entry')
const impostor = sampleLog(seededSigner('example.com/ledger', 6), 'entry')
const verifier: SignatureVerifier = nodeSignatureVerifier
const code = (expected: string) => expect.objectContaining({ name: 'WitnessError', code: expected })

let state = ''
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'tidegate-witness-'))
})
afterEach(() => {
  rmSync(state, { recursive: true, force: true })
})

function memoryStore(): CheckpointStore & { readonly notes: Map<string, string> } {
  const notes = new Map<string, string>()
  return {
    notes,
    read: (origin) => notes.get(origin),
    write: (origin, note) => {
      notes.set(origin, note)
    },
    close: () => undefined,
  }
}

function witnessOver(store: CheckpointStore): LocalWitness {
  return createWitness({
    signer: seededSigner('witness.example/w1', 2),
    logKeys: [log.key],
    store,
    nowSeconds: () => 1_763_600_000,
  })
}

describe('a witness', () => {
  test('cosigns a checkpoint that continues what it holds, and the cosignature verifies', () => {
    const store = memoryStore()
    const witness = witnessOver(store)
    const steps = [
      [0, 3],
      [3, 3],
      [3, 7],
      [7, 256],
      [256, 300],
    ] as const
    for (const [oldSize, size] of steps) {
      const answer = witness.addCheckpoint(log.body(oldSize, size))
      const cosigned = log.checkpoint(size) + (answer.kind === 'cosigned' ? answer.signatureLines : '')
      const trust = { logKeys: [log.key], witnessKeys: [parseVerifierKey(nodeHasher, witness.verifierKey)] }
      const expected = {
        kind: 'verified',
        checkpoint: { size },
        cosigned: [{ name: 'witness.example/w1', timestampSeconds: 1_763_600_000 }],
      }
      expect(openCheckpoint(verifier, cosigned, trust)).toMatchObject(expected)
      expect(openCheckpoint(verifier, store.notes.get('example.com/ledger') ?? '', trust)).toMatchObject(expected)
      expect(witness.heldNote(originHash('example.com/ledger'))).toBe(cosigned)
    }
    expect(witness.heldNote(originHash('example.com/stranger'))).toBeUndefined()
  })

  test.each([
    ['a fork', fork.body(7, 20), { kind: 'refused', because: 'bad_proof' }],
    ['a fork of the same size', fork.body(7, 7), { kind: 'refused', because: 'bad_proof' }],
    ['a shortened ledger', log.body(7, 5), { kind: 'refused', because: 'malformed' }],
    ['a shortened ledger that lies about the old size', log.body(3, 5), { kind: 'conflict', heldSize: 7 }],
    ['a ledger that begins again', log.body(0, 5), { kind: 'conflict', heldSize: 7 }],
    ['a proof from another size', log.body(7, 20).replace(/\n[^\n]{44}\n/, '\n'), { kind: 'refused', because: 'bad_proof' }],
    ['a ledger that it does not know', stranger.body(0, 5), { kind: 'refused', because: 'unknown_log' }],
    ['a ledger signed by another key', impostor.body(7, 20), { kind: 'refused', because: 'bad_signature' }],
    ['a signature that does not fit', log.body(7, 20).replace('\n20\n', '\n21\n'), { kind: 'refused', because: 'bad_signature' }],
    ['no request', 'hello', { kind: 'refused', because: 'malformed' }],
    ['no checkpoint', 'old 7\n\nhello\n', { kind: 'refused', because: 'malformed' }],
  ])('refuses %s, and remembers what it held', (_what, body, expected) => {
    const store = memoryStore()
    const witness = witnessOver(store)
    witness.addCheckpoint(log.body(0, 7))
    const held = store.notes.get('example.com/ledger')
    expect(witness.addCheckpoint(body)).toMatchObject(expected)
    expect(store.notes).toEqual(new Map([['example.com/ledger', held]]))
    expect(witness.addCheckpoint(log.body(7, 8))).toMatchObject({ kind: 'cosigned' })
  })

  test('cosigns an empty ledger once it is really empty', () => {
    const witness = witnessOver(memoryStore())
    expect(witness.addCheckpoint(log.body(0, 0))).toMatchObject({ kind: 'cosigned' })
    expect(witness.addCheckpoint(log.body(0, 4))).toMatchObject({ kind: 'cosigned' })
  })

  test('keeps out lines that it did not verify', () => {
    const store = memoryStore()
    const stray = encodeSignatureLine(signNote(nodeHasher, 'something else\n', seededSigner('example.com/stray', 9)))
    expect(witnessOver(store).addCheckpoint(log.body(0, 7) + stray)).toMatchObject({ kind: 'cosigned' })
    expect(store.notes.get('example.com/ledger')).not.toContain('stray')
  })

  test('does not cosign what it cannot store', () => {
    const store = memoryStore()
    const failing = {
      ...store,
      write: () => {
        throw new WitnessError('witness_state_unusable', 'The disk is full.')
      },
    }
    expect(() => witnessOver(failing).addCheckpoint(log.body(0, 7))).toThrow(code('witness_state_unusable'))
  })
})

describe('its memory', () => {
  test('survives, one file per ledger', () => {
    const store = openCheckpointStore(state)
    witnessOver(store).addCheckpoint(log.body(0, 7))
    store.close()
    expect(readdirSync(state)).toEqual([`${originHash('example.com/ledger')}.checkpoint`])
    const again = openCheckpointStore(state)
    expect(witnessOver(again).addCheckpoint(log.body(0, 9))).toEqual({ kind: 'conflict', heldSize: 7 })
    again.close()
  })

  test.each([
    ['nothing', ''],
    ['half a note', log.checkpoint(7).slice(0, 30)],
    ['a note of another ledger', stranger.checkpoint(7)],
    ['far too much', 'x'.repeat(200_000)],
  ])('stops the witness from starting when a file holds %s', (_what, text) => {
    const store = openCheckpointStore(state)
    writeFileSync(join(state, `${originHash('example.com/ledger')}.checkpoint`), text)
    expect(() => witnessOver(store)).toThrow(code('witness_state_unusable'))
  })

  test('is for one process at a time, and free again when that one is gone', () => {
    writeFileSync(join(state, 'witness.lock'), `${process.ppid}\n`)
    expect(() => openCheckpointStore(state)).toThrow(code('witness_state_in_use'))
    writeFileSync(join(state, 'witness.lock'), '4194304999\n')
    openCheckpointStore(state).close()
    expect(existsSync(join(state, 'witness.lock'))).toBe(false)
  })
})

describe('its key', () => {
  test('is made once, for its owner only', () => {
    const path = join(state, 'witness.key')
    const first = openKeyFile(path, 'w')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(openKeyFile(path, 'w').publicKey).toEqual(first.publicKey)
    chmodSync(path, 0o640)
    expect(() => openKeyFile(path, 'w')).toThrow(code('witness_key_unusable'))
  })

  test('is refused, and never quoted, when it is something else', () => {
    const path = join(state, 'witness.key')
    writeFileSync(path, 'SECRETSECRET', { mode: 0o600 })
    let message = ''
    try {
      openKeyFile(path, 'w')
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('Ed25519')
    expect(message).not.toContain('SECRET')
    expect(() => openKeyFile(path, 'a b')).toThrow(code('witness_key_unusable'))
  })
})

interface Running {
  readonly child: ChildProcess
  readonly url: URL
  readonly vkey: string
}

/** Starts the program on whatever Node is first in the path, as a user would. */
async function start(...more: string[]): Promise<Running> {
  const program = fileURLToPath(new URL('../bin/tidegate-witness.js', import.meta.url))
  const argv = [program, '--name', 'witness.example/w1', '--state', state, '--log', log.vkey, ...more]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const words = new Map<string, string>()
  for await (const line of lines) {
    const [name = '', value = ''] = line.split(' ')
    words.set(name, value)
    if (name === 'listening') break
  }
  return { child, url: new URL(words.get('listening') ?? ''), vkey: words.get('vkey') ?? '' }
}

function send(url: URL, path: string, options: { readonly method?: string; readonly body?: string | Buffer } = {}) {
  return new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
    const sent = request(new URL(path, url), { method: options.method ?? 'POST' }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }))
    })
    sent.on('error', reject)
    sent.end(options.body ?? '')
  })
}

describe('tidegate-witness', () => {
  test('speaks C2SP tlog-witness, and remembers through a kill', async () => {
    const first = await start()
    const { url } = first
    const cosigned = await send(url, '/add-checkpoint', { body: log.body(0, 7) })
    expect(cosigned).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^\u2014 witness\.example\/w1 [A-Za-z0-9+/=]+\n$/),
    })
    expect(await send(url, '/add-checkpoint', { body: log.body(0, 9) })).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      body: '7\n',
    })
    expect(await send(url, '/add-checkpoint', { body: stranger.body(0, 9) })).toMatchObject({ status: 404 })
    expect(await send(url, '/add-checkpoint', { body: impostor.body(7, 9) })).toMatchObject({ status: 403 })
    expect(await send(url, '/add-checkpoint', { body: fork.body(7, 9) })).toMatchObject({ status: 422 })
    expect(await send(url, '/add-checkpoint', { body: log.body(7, 5) })).toMatchObject({ status: 400 })
    expect(await send(url, '/add-checkpoint', { body: Buffer.from([0xff, 0xfe]) })).toMatchObject({ status: 400 })
    expect(await send(url, '/add-checkpoint', { method: 'GET' })).toMatchObject({ status: 405 })
    expect(await send(url, '/', { method: 'GET' })).toMatchObject({ status: 404 })
    const held = `/${originHash('example.com/ledger')}/checkpoint`
    expect(await send(url, held, { method: 'GET' })).toMatchObject({ status: 200, body: log.checkpoint(7) + cosigned.body })

    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await start()
    expect(second.vkey).toBe(first.vkey)
    expect(await send(second.url, '/add-checkpoint', { body: fork.body(0, 9) })).toMatchObject({ status: 409, body: '7\n' })
    expect(await send(second.url, '/add-checkpoint', { body: log.body(7, 9) })).toMatchObject({ status: 200 })
    second.child.kill('SIGTERM')
    expect(await once(second.child, 'exit')).toEqual([0, null])
    expect(existsSync(join(state, 'witness.lock'))).toBe(false)
  })

  test('limits a request, outlives a caller that hangs up, and listens on the loopback interface only', async () => {
    const { child, url } = await start()
    expect(await send(url, '/add-checkpoint', { body: 'x'.repeat(140_000) })).toMatchObject({ status: 413 })
    const socket = connect(Number(url.port), '127.0.0.1')
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nold 0\n')
    await once(socket, 'connect')
    socket.destroy()
    expect(await send(url, '/add-checkpoint', { body: log.body(0, 7) })).toMatchObject({ status: 200 })
    expect(readFileSync(`/proc/${child.pid}/net/tcp`, 'utf8')).toContain(
      `0100007F:${Number(url.port).toString(16).toUpperCase().padStart(4, '0')}`,
    )
    expect(readFileSync(`/proc/${child.pid}/net/tcp`, 'utf8')).not.toContain(
      `00000000:${Number(url.port).toString(16).toUpperCase().padStart(4, '0')}`,
    )
    child.kill('SIGTERM')
    await once(child, 'exit')
  })

  test.each([
    [2, ['--name', 'w']],
    [2, ['--name', 'w', '--state', 'STATE']],
    [2, ['--name', 'w', '--state', 'STATE', '--log', 'nonsense']],
    [2, ['--name', 'w', '--state', 'STATE', '--log', log.vkey, '--port', '70000']],
    [2, ['--nonsense']],
    [1, ['--name', 'a b', '--state', 'STATE', '--log', log.vkey]],
    [0, ['--help']],
  ])('exits with %i for %j', async (expected, argv) => {
    const program = fileURLToPath(new URL('../bin/tidegate-witness.js', import.meta.url))
    const child = spawn(process.execPath, [program, ...argv.map((word) => (word === 'STATE' ? state : word))], {
      stdio: 'ignore',
    })
    expect(await once(child, 'exit')).toEqual([expected, null])
  })
})
