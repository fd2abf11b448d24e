import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Reads the token. It is read again before it is sent, since the server may have made a new one. Throws when it cannot be used. */
export function readToken(file) {
  const token = readFileSync(file, 'utf8').trim()
  if (!/^[\x21-\x7e]{16,4096}$/.test(token)) throw new Error(`the file ${file} holds no token`)
  return token
}

/** Digest of the host's configuration as it lies on the disk: the same that `tidegate connect` computes. Undefined without a file. */
export function digestOfConfiguration(file) {
  if (file === undefined) return undefined
  return sha256(JSON.stringify([[file, contentOf(file)]]))
}

function contentOf(file) {
  try {
    return sha256(readFileSync(file))
  } catch {
    return null // it is gone, and that is worth a digest of its own
  }
}

function sha256(data) {
  return createHash('sha256').update(data).digest('hex')
}
