import { createSigningKey, nodeHasher, nodeVerifier, signerOf } from '@tidegate/crypto-node'
import {
  cosignCheckpoint,
  createFrontier,
  createVerifierKey,
  encodeBase64,
  encodeSignatureLine,
  encodeVerifierKey,
  leafHash,
  type LedgerReader,
  type LogLine,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type Signer,
  signCheckpoint,
  type TileCoordinate,
  verifyConsistency,
  type Witness,
  type WitnessAnswer,
} from '@tidegate/kernel'
import { createVirtualClock } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createWitnessing } from '../src/index.ts'

const LOG = signerOf('witnessing.test/log', createSigningKey())
const WITNESS = signerOf('witness.test/w1', createSigningKey())
const STRANGER = signerOf('witness.test/w1', createSigningKey())

const keyOf = ({ name, publicKey }: Signer, algorithm: 'ed25519' | 'cosignature/v1'): string =>
  encodeVerifierKey(createVerifierKey(nodeHasher, { name, algorithm, publicKey }))

/** A ledger of `<story> 0`, `<story> 1`, ... that can be as long as it is told; two stories are a fork. */
function createLedger(story = 'entry', length = 40): LedgerReader & { size: number } {
  const frontier = createFrontier(nodeHasher)
  const roots = [frontier.root()]
  const leaves: Uint8Array[] = []
  for (let at = 0; at < length; at++) {
    const leaf = leafHash(nodeHasher, `${story} ${at}`)
    leaves.push(leaf)
    frontier.append(leaf)
    roots.push(frontier.root())
  }
  const reader = {
    size: 5,
    head() {
      const root = roots[reader.size] ?? new Uint8Array(32)
      const checkpoint = signCheckpoint(nodeHasher, { origin: LOG.name, size: reader.size, root, extensions: [] }, LOG)
      return { size: reader.size, root: encodeBase64(root), epoch: 0, checkpoint }
    },
    verifierKey: keyOf(LOG, 'ed25519'),
    tile: ({ index, width }: TileCoordinate) => Buffer.concat(leaves.slice(index * 256, index * 256 + width)),
    texts: () => [],
    lastIndex: () => undefined,
    payloads: () => [],
  }
  return reader
}

/** A witness that remembers one checkpoint and cosigns what continues it, as C2SP tlog-witness says. */
function createWitness({ signer = WITNESS, size = 0, root = createFrontier(nodeHasher).root() } = {}) {
  const held = { size, root }
  const asked: number[] = []
  const answers: WitnessAnswer[] = []
  const witness: Witness & { readonly held: typeof held; readonly asked: number[]; readonly answers: WitnessAnswer[] } = {
    held,
    asked,
    answers,
    async cosign({ oldSize, proof, checkpoint }) {
      asked.push(oldSize)
      const scripted = answers.shift()
      if (scripted !== undefined) return scripted
      const note = parseNote(checkpoint)
      const { size: newSize, root: newRoot } = parseCheckpoint(note.text)
      if (oldSize !== held.size) return { kind: 'conflict', heldSize: held.size }
      if (!verifyConsistency(nodeHasher, { oldSize, oldRoot: held.root, newSize, newRoot, proof }))
        return { kind: 'refused', because: 'bad_proof', detail: 'it does not continue' }
      held.size = newSize
      held.root = newRoot
      return {
        kind: 'cosigned',
        signatureLines: encodeSignatureLine(cosignCheckpoint(nodeHasher, note.text, signer, 1_700_000_000)),
      }
    },
  }
  return witness
}

function stage(witness: Witness = createWitness(), ledger = createLedger()) {
  const clock = createVirtualClock()
  const lines: LogLine[] = []
  const witnessing = createWitnessing({
    ledger,
    witness,
    witnessKey: keyOf(WITNESS, 'cosignature/v1'),
    hasher: nodeHasher,
    verifier: nodeVerifier,
    clock,
    log: (line) => lines.push(line),
  })
  return { witnessing, ledger, clock, lines }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('showing a ledger to a witness', () => {
  test('brings a cosignature that others verify, and the next proof begins there', async () => {
    const witness = createWitness()
    const { witnessing, ledger } = stage(witness)
    expect(witnessing.cosigned).toBeUndefined()
    const first = await witnessing.show()
    expect(first).toMatchObject({ kind: 'cosigned', size: 5 })
    ledger.size = 23
    expect(await witnessing.show()).toMatchObject({ kind: 'cosigned', size: 23 })
    expect(witness.asked).toEqual([0, 5])
    const keys = {
      logKeys: [parseVerifierKey(nodeHasher, ledger.verifierKey)],
      witnessKeys: [parseVerifierKey(nodeHasher, keyOf(WITNESS, 'cosignature/v1'))],
    }
    const opened = openCheckpoint(nodeVerifier, witnessing.cosigned ?? '', keys)
    expect(opened).toMatchObject({ kind: 'verified', checkpoint: { size: 23 }, cosigned: [{}] })
  })

  test('that is empty is nothing to be afraid of', async () => {
    const { witnessing, ledger } = stage()
    ledger.size = 0
    expect(await witnessing.show()).toMatchObject({ kind: 'cosigned', size: 0 })
  })

  test('after a restart finds out what the witness holds, and goes on from there', async () => {
    const witness = createWitness()
    const { witnessing, ledger } = stage(witness)
    await witnessing.show()
    const again = stage(witness, ledger)
    ledger.size = 30
    expect(await again.witnessing.show()).toMatchObject({ kind: 'cosigned', size: 30 })
    expect(witness.asked).toEqual([0, 0, 5])
  })

  test('I10: a witness that holds more entries than are here says that the tail is lost', async () => {
    const witness = createWitness()
    const { witnessing, ledger } = stage(witness)
    ledger.size = 23
    await witnessing.show()
    ledger.size = 20
    expect(await stage(witness, ledger).witnessing.show()).toEqual({ kind: 'shortened', heldSize: 23, size: 20 })
    expect(await witnessing.show()).toEqual({ kind: 'shortened', heldSize: 23, size: 20 })
  })

  test('I10: a longer ledger that does not begin with what the witness holds is another ledger', async () => {
    const witness = createWitness()
    await stage(witness).witnessing.show()
    const fork = createLedger('another story')
    fork.size = 30
    expect(await stage(witness, fork).witnessing.show()).toEqual({ kind: 'shortened', heldSize: 5, size: 30 })
  })

  test('two at once do not overtake each other: a slow answer is no lost tail', async () => {
    const ledger = createLedger()
    const witness = createWitness()
    const slow: (() => void)[] = []
    const late: Witness = {
      async cosign(request) {
        if (slow.length === 0) await new Promise<void>((resolve) => slow.push(resolve)) // the first request is held up on its way
        return witness.cosign(request)
      },
    }
    const { witnessing } = stage(late, ledger)
    const first = witnessing.show()
    await settle()
    ledger.size = 23
    const second = witnessing.show()
    await settle()
    slow[0]?.()
    expect((await Promise.all([first, second])).map((state) => state.kind)).toEqual(['cosigned', 'cosigned'])
    expect(parseCheckpoint(parseNote(witnessing.cosigned ?? '').text).size).toBe(23)
  })
})

describe('an answer that is no yes', () => {
  test.each<[string, WitnessAnswer]>([
    ['a refusal', { kind: 'refused', because: 'unreachable', detail: 'no answer' }],
    ['an unknown ledger', { kind: 'refused', because: 'unknown_log', detail: 'never heard of it' }],
    ['a bad signature', { kind: 'refused', because: 'bad_signature', detail: 'not signed' }],
    ['a yes without a signature', { kind: 'cosigned', signatureLines: '' }],
    ['a yes with garbage', { kind: 'cosigned', signatureLines: '\u2014 witness.test/w1 AAAA\n' }],
  ])('%s leaves the last cosignature as it was', async (_, answer) => {
    const witness = createWitness()
    const { witnessing, ledger } = stage(witness)
    await witnessing.show()
    const before = witnessing.cosigned
    ledger.size = 9
    witness.answers.push(answer)
    expect((await witnessing.show()).kind).toBe('unavailable')
    expect(witnessing.cosigned).toBe(before)
    expect((await witnessing.show()).kind).toBe('cosigned')
  })

  test('a signature by another key of the same name counts for nothing', async () => {
    const { witnessing } = stage(createWitness({ signer: STRANGER }))
    expect((await witnessing.show()).kind).toBe('unavailable')
    expect(witnessing.cosigned).toBeUndefined()
  })

  test('a witness that keeps changing its mind is not followed for ever', async () => {
    const witness = createWitness()
    witness.answers.push({ kind: 'conflict', heldSize: 1 }, { kind: 'conflict', heldSize: 2 })
    expect((await stage(witness).witnessing.show()).kind).toBe('unavailable')
    expect(witness.asked).toEqual([0, 1])
  })
})

describe('showing it every so often', () => {
  test('goes on after every answer, says what failed, and tells of a lost tail until it is told to stop', async () => {
    const witness = createWitness()
    const { witnessing, ledger, clock, lines } = stage(witness)
    const told: number[] = []
    const stop = witnessing.every(1_000, ({ heldSize }) => told.push(heldSize))
    const pass = async (): Promise<void> => {
      clock.advanceTo(clock.nowMs() + 1_000)
      await settle()
    }
    await pass()
    expect(witness.held.size).toBe(5)
    witness.answers.push({ kind: 'refused', because: 'unreachable', detail: 'no answer' })
    await pass()
    expect(lines).toMatchObject([{ level: 'warning', code: 'witness_unavailable' }])
    const { tile } = ledger
    const failing = (): Uint8Array => {
      throw new Error('the disk fails')
    }
    Object.assign(ledger, { size: 6, tile: failing })
    await pass()
    expect(lines[1]).toMatchObject({ level: 'error', code: 'witness_unavailable' })
    Object.assign(ledger, { tile, size: 23 })
    await pass()
    expect(witness.held.size).toBe(23)
    ledger.size = 7
    await pass()
    expect(told).toEqual([23])
    stop()
    const asked = witness.asked.length
    await pass()
    expect([witness.asked.length, clock.nextAtMs()]).toEqual([asked, undefined])
  })
})
