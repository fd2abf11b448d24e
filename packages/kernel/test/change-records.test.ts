import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  changedNames,
  createRecordedTexts,
  decodeListing,
  declaredIn,
  encodeListing,
  type Listing,
  quarantined,
  TEXT_PART_UNITS,
  textDigest,
  textEvents,
} from '../src/index.ts'

const hasher = {
  sha256: (data: string | Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest()),
}

describe('a recorded text', () => {
  test('comes back as it was, whatever its length and its characters', () => {
    const long = fc
      .tuple(fc.string({ unit: 'binary', maxLength: 50 }), fc.nat({ max: TEXT_PART_UNITS * 2 }))
      .map(([text, n]) => 'x'.repeat(n) + text)
    fc.assert(
      fc.property(fc.oneof(long, fc.string({ unit: 'grapheme', maxLength: 200 })), (text) => {
        const texts = createRecordedTexts(hasher)
        const events = textEvents(hasher, text)
        for (const event of events) texts.add(event)
        expect(texts.get(textDigest(hasher, text))).toBe(text)
      }),
      { numRuns: 60 },
    )
  })

  test('is never cut within a character', () => {
    const events = textEvents(hasher, `${'x'.repeat(TEXT_PART_UNITS - 1)}\u{1F600}${'y'.repeat(10)}`)
    expect(events.map(({ text }) => text.isWellFormed())).toEqual([true, true])
  })

  test('is not there when a part is missing or another than it was', () => {
    const text = 'z'.repeat(TEXT_PART_UNITS + 1)
    const events = textEvents(hasher, text)
    const missing = createRecordedTexts(hasher)
    for (const event of events.slice(1)) missing.add(event)
    const forged = createRecordedTexts(hasher)
    for (const event of events) forged.add(event.part === 0 ? { ...event, text: `Z${event.text.slice(1)}` } : event)
    const digest = textDigest(hasher, text)
    expect([missing.get(digest), forged.get(digest)]).toEqual([undefined, undefined])
  })

  test('that was cut short by a crash can be recorded again', () => {
    const texts = createRecordedTexts(hasher)
    const events = textEvents(hasher, 'q'.repeat(TEXT_PART_UNITS * 3))
    for (const event of [...events.slice(0, 2), ...events]) texts.add(event)
    expect(texts.get(events[0]?.digest ?? '')).toHaveLength(TEXT_PART_UNITS * 3)
  })
})

const LISTING: Listing = {
  operations: {
    'desk.set': {
      ...{ tool: 'desk', version: '1', declaration: 'd1' },
      facts: {
        ...{ risk: 'low', mutability: 'write', dataClass: 'internal', blastRadius: 'single' },
        nature: [],
        reversible: true,
      },
    },
  },
  workflows: { w: { version: 'v', agent: 'a', environment: 'production', stage: 3, prompt: null } },
}

describe('a listing', () => {
  test('comes back as it was, and has nothing changed against itself', () => {
    const back = decodeListing(encodeListing(LISTING))
    expect(back).toEqual(LISTING)
    expect(changedNames(LISTING, back)).toEqual([])
  })

  test('names what is new, gone and other than before', () => {
    const [set] = Object.values(LISTING.operations)
    if (set === undefined) throw new Error('The listing has no operation.')
    const other: Listing = {
      operations: { 'desk.put': set, 'desk.set': { ...set, version: '2' } },
      workflows: { w: { version: 'v', agent: 'a', environment: 'production', stage: 3, prompt: 'p2' } },
    }
    expect(changedNames(LISTING, other)).toEqual(['desk.put', 'desk.set', 'workflow w'])
    expect(changedNames(other, LISTING)).toEqual(['desk.put', 'desk.set', 'workflow w'])
  })

  test('has what was declared of an operation within a workflow', () => {
    expect(declaredIn(LISTING, 'desk.set', 'w')).toMatchObject({
      tool: 'desk',
      facts: { risk: 'low', environment: 'production', stage: 3 },
    })
    expect([declaredIn(LISTING, 'desk.put', 'w'), declaredIn(LISTING, 'desk.set', 'constructor')]).toEqual([undefined, undefined])
  })
})

test('what is not declared as it was accepted is quarantined, but never what belongs to the program', () => {
  const operations = [
    { id: 'desk.same', tool: 'desk', schemaVersion: '1' },
    { id: 'desk.other', tool: 'desk', schemaVersion: '2' },
    { id: 'desk.new', tool: 'desk', schemaVersion: '1' },
    { id: 'toString', tool: 'desk', schemaVersion: '1' },
    { id: 'tidegate.policy.apply', tool: 'tidegate', schemaVersion: '9' },
  ]
  const accepted = { 'desk.same': '1', 'desk.other': '1', 'desk.gone': '1' }
  expect([...quarantined({ accepted }, operations)]).toEqual(['desk.other', 'desk.new', 'toString'])
})
