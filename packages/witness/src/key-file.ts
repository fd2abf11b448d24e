import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isKeyName, type Signer } from '@tidegate/kernel'
import { writeAndSync } from './checkpoint-store.ts'
import { WitnessError } from './error.ts'
import { signerOf } from './node-crypto.ts'

/**
 * Opens the witness's private key, and makes one, readable by its owner only, when there is no file.
 *
 * @throws WitnessError `witness_key_unusable` when the name is no key name, when others may read the file, or when it holds
 * anything but an Ed25519 key in PKCS#8 PEM. The message never quotes the file.
 */
export function openKeyFile(path: string, name: string): Signer {
  if (!isKeyName(name)) throw new WitnessError('witness_key_unusable', 'The name of a witness has no spaces and no plus sign.')
  const pem = readPem(path) ?? makePem(path)
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return signerOf(name, key)
  } catch {
    // Falls through to the error below; the parser's own message could quote what it read.
  }
  throw new WitnessError('witness_key_unusable', `The file ${path} does not hold an Ed25519 private key in PKCS#8 PEM.`)
}

function readPem(path: string): string | undefined {
  try {
    const status = statSync(path)
    if ((status.mode & 0o077) !== 0) {
      throw new WitnessError('witness_key_unusable', `Others can read the key file ${path}. Make it yours alone: chmod 600.`)
    }
    if (!status.isFile() || status.size > 4096) throw new WitnessError('witness_key_unusable', `The file ${path} is no key file.`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof WitnessError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new WitnessError('witness_key_unusable', `The key file ${path} cannot be read.`, { cause })
  }
}

function makePem(path: string): string {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeAndSync(path, pem, 'wx')
  } catch (cause) {
    throw new WitnessError('witness_key_unusable', `The key file ${path} cannot be made.`, { cause })
  }
  return pem
}
