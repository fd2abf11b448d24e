import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeEntropy } from '@tidegate/crypto-node'
import { afterAll, afterEach, expect, test } from 'vitest'
import { deriveSecret, openSnapshotFile } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'tidegate-snapshot-'))
const file = join(directory, 'journal.meters')
const masterKey = new Uint8Array(32).fill(7)
const open = (key = masterKey) => openSnapshotFile({ file, masterKey: key, entropy: nodeEntropy })

afterAll(() => rmSync(directory, { recursive: true, force: true }))
afterEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
})

test('gives back what was saved last, to nobody but its owner', async () => {
  expect(await open().load()).toBeUndefined()
  await open().save('one')
  await open().save('two, with a customer')
  expect(await open().load()).toBe('two, with a customer')
  expect(readFileSync(file).includes('customer')).toBe(false)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory)).toEqual(['journal.meters'])
})

test('does not believe what another key wrote, or what was altered or cut off', async () => {
  await open().save('counts')
  expect(await open(new Uint8Array(32).fill(8)).load()).toBeUndefined()
  const sealed = readFileSync(file)
  writeFileSync(file, sealed.with(sealed.length - 1, (sealed.at(-1) ?? 0) ^ 1))
  expect(await open().load()).toBeUndefined()
  for (const length of [0, 5, 20, sealed.length - 1]) {
    writeFileSync(file, sealed.subarray(0, length))
    expect(await open().load()).toBeUndefined()
  }
  writeFileSync(file, sealed)
  expect(await open().load()).toBe('counts')
})

test('secrets of different purposes or keys are different, and always the same', () => {
  const secret = (key: number, purpose: string) =>
    Buffer.from(deriveSecret(new Uint8Array(32).fill(key), purpose)).toString('hex')
  expect(new Set([secret(1, 'a'), secret(1, 'b'), secret(2, 'a')]).size).toBe(3)
  expect(secret(1, 'a')).toBe(secret(1, 'a'))
  expect(secret(1, 'a')).toHaveLength(64)
})
