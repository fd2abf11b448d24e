import { parseArgs } from 'node:util'
import { decodeUtf8, KernelError, NOTE_MAX_BYTES, parseVerifierKey, type VerifierKey } from '@tidegate/kernel'
import { readBounded } from './bounded-file.ts'
import { VerifyError, type VerifyErrorCode } from './error.ts'
import { nodeHasher } from './node-crypto.ts'

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | (Trusted & {
      readonly kind: 'export'
      readonly directory: string
      readonly since?: string
      readonly canonical: boolean
      readonly json: boolean
    })
  | (Trusted & { readonly kind: 'receipt'; readonly file: string; readonly json: boolean })

/** The keys that the command line trusts. */
interface Trusted {
  readonly logKeys: readonly VerifierKey[]
  readonly witnessKeys: readonly VerifierKey[]
  readonly quorum?: number
}

/** What `--help` prints. */
export const USAGE = `Usage:
  tidegate-verify export DIR [--key VKEY | --key-file FILE]... [--since CHECKPOINT] [options]
  tidegate-verify receipt FILE (--key VKEY | --key-file FILE)... [options]

Verifies, offline, a ledger export or a receipt. Prints the first thing that does not fit, and where.

  --key VKEY        trust this key of the ledger (name+id+base64); may be repeated
  --key-file FILE   the same, from a file
  --witness VKEY    require the cosignature of this witness; may be repeated
  --quorum N        require only N of the witnesses
  --since FILE      require that the export continues the checkpoint in FILE
  --canonical       check also that every entry is canonical JSON
  --json            print the verdict as JSON

Exit codes: 0 verified, 1 refused, 2 the command cannot be understood.
`

const OPTIONS = {
  key: { type: 'string', multiple: true, default: [] as string[] },
  'key-file': { type: 'string', multiple: true, default: [] as string[] },
  witness: { type: 'string', multiple: true, default: [] as string[] },
  quorum: { type: 'string' },
  since: { type: 'string' },
  canonical: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/**
 * Reads the command line and the key files and older checkpoint it names.
 *
 * @throws VerifyError `verify_usage`, `verify_key_unusable` or `verify_since_unusable`.
 */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parseOptions(argv)
  if (values.help) return { kind: 'help' }
  const [kind, path, ...rest] = positionals
  if ((kind !== 'export' && kind !== 'receipt') || path === undefined || rest.length > 0) {
    throw new VerifyError('verify_usage', 'Say what to verify: "export DIR" or "receipt FILE".')
  }
  const trusted = readTrusted(values)
  if (kind === 'export') {
    const since = values.since === undefined ? {} : { since: readText(values.since, 'verify_since_unusable') }
    return { kind, directory: path, ...trusted, ...since, canonical: values.canonical, json: values.json }
  }
  if (trusted.logKeys.length === 0) {
    throw new VerifyError('verify_usage', 'A receipt proves something only under a key you trust: give --key or --key-file.')
  }
  if (values.since !== undefined || values.canonical) {
    throw new VerifyError('verify_usage', 'The options --since and --canonical are for exports only.')
  }
  return { kind, file: path, ...trusted, json: values.json }
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new VerifyError('verify_usage', cause instanceof Error ? cause.message : 'The options cannot be read.', { cause })
  }
}

function readTrusted(values: ReturnType<typeof parseOptions>['values']): Trusted {
  const fileKeys = values['key-file'].map((path) => readText(path, 'verify_key_unusable'))
  const logKeys = [...values.key, ...fileKeys].map((text) => readKey(text, 'ed25519'))
  const witnessKeys = values.witness.map((text) => readKey(text, 'cosignature/v1'))
  if (values.quorum === undefined) return { logKeys, witnessKeys }
  const quorum = Number(values.quorum)
  if (!/^[1-9][0-9]{0,2}$/.test(values.quorum) || quorum > witnessKeys.length) {
    throw new VerifyError(
      'verify_usage',
      `--quorum must be a number from 1 to the number of witnesses given, ${witnessKeys.length}.`,
    )
  }
  return { logKeys, witnessKeys, quorum }
}

function readKey(text: string, algorithm: VerifierKey['algorithm']): VerifierKey {
  let key: VerifierKey
  try {
    key = parseVerifierKey(nodeHasher, text)
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause
    throw new VerifyError('verify_key_unusable', `A key cannot be used. ${cause.message}`, { cause })
  }
  if (key.algorithm === algorithm) return key
  const hint = algorithm === 'ed25519' ? 'a ledger\u2019s key, for --key' : 'a witness\u2019s key, for --witness'
  throw new VerifyError('verify_key_unusable', `The key ${key.name} signs ${key.algorithm}; needed is ${hint}.`)
}

function readText(path: string, code: VerifyErrorCode): string {
  const read = readBounded(path, NOTE_MAX_BYTES)
  if (read.kind !== 'read') {
    throw new VerifyError(code, `The file ${path} cannot be used: ${read.kind === 'missing' ? 'it is not there' : read.detail}.`)
  }
  try {
    return decodeUtf8(read.bytes)
  } catch (cause) {
    throw new VerifyError(code, `The file ${path} is not text in UTF-8.`, { cause })
  }
}
