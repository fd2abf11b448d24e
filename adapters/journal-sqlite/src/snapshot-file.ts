import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { Entropy } from '@tidegate/kernel'
import { decrypt, encrypt, secretKey } from './payload-cipher.ts'
import { deriveSecret } from './derive-secret.ts'

/** Keeps one text beside a journal, which could be made again from it. */
export interface SnapshotFile {
  /** What was saved last; undefined when there is nothing, or nothing that this key wrote. */
  load(): Promise<string | undefined>
  /** Replaces what was saved. If we crash in here, the old text is there, or the new one. */
  save(text: string): Promise<void>
}

/** The longest text that is read back: more was never worth keeping. */
const MAX_BYTES = 268_435_456

/**
 * Opens the snapshot of a journal: encrypted and authenticated under a key of its own, so that whoever can write the directory
 * can take a snapshot away, or put an old one back, but not make one up.
 */
export function openSnapshotFile(options: {
  readonly file: string
  /** The one of the journal, 32 bytes. */
  readonly masterKey: Uint8Array
  readonly entropy: Entropy
}): SnapshotFile {
  const { file, entropy } = options
  const key = secretKey(deriveSecret(options.masterKey, 'snapshot'))
  return {
    async load() {
      try {
        const sealed = await readFile(file)
        return sealed.length > MAX_BYTES ? undefined : new TextDecoder().decode(decrypt(key, sealed))
      } catch {
        return undefined // not there, cut off, or somebody else's: what it holds is counted again
      }
    },
    async save(text) {
      const next = `${file}.new`
      await rm(next, { force: true })
      await writeFile(next, encrypt(key, text, entropy), { mode: 0o600, flush: true })
      await rename(next, file)
    },
  }
}
