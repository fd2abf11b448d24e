import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type Json, parseJson } from '@tidegate/kernel'

/** What a seal is good for: what was sealed for one purpose opens for no other. */
export type SealPurpose = 'session' | 'state' | 'task'

/**
 * Lets clients keep what we would otherwise have to remember. What is sealed can be neither read nor changed outside, and opens only for
 * the host that it was given to: AES-256-GCM, with purpose and host as additional data.
 */
export interface Seal {
  seal(purpose: SealPurpose, host: string, value: Json): string
  /** What was sealed; undefined for anything else, whatever is wrong with it. The text may come from an attacker. */
  open(purpose: SealPurpose, host: string, text: string): Json | undefined
}

const CIPHER = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
/** Longer texts are not ours. */
const SEAL_MAX = 6_000

/** Makes a seal of 32 secret bytes. */
export function createSeal(secret: Uint8Array): Seal {
  const bound = (purpose: SealPurpose, host: string): Buffer => Buffer.from(`tidegate-mcp\n1\n${purpose}\n${host}`)
  return {
    seal(purpose, host, value) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(bound(purpose, host))
      const hidden = [cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]
      return Buffer.concat([nonce, ...hidden, cipher.getAuthTag()]).toString('base64url')
    },
    open(purpose, host, text) {
      if (text.length > SEAL_MAX || !/^[\w-]{38,}$/.test(text)) return undefined
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.toString('base64url') !== text) return undefined // one text for one thing, so that what was ended stays ended
      const cipher = createDecipheriv(CIPHER, secret, bytes.subarray(0, NONCE)).setAAD(bound(purpose, host))
      cipher.setAuthTag(bytes.subarray(-TAG))
      try {
        const plain = Buffer.concat([cipher.update(bytes.subarray(NONCE, -TAG)), cipher.final()])
        return parseJson(plain.toString('utf8'))
      } catch {
        return undefined // a wrong tag is the whole answer: it was not sealed here, for this, for them
      }
    },
  }
}
