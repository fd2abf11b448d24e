import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { KernelError, parseVerifierKey, type VerifierKey } from '@tidegate/kernel'
import { openCheckpointStore } from './checkpoint-store.ts'
import { createWitness } from './create-witness.ts'
import { WitnessError } from './error.ts'
import { openKeyFile } from './key-file.ts'
import { nodeHasher } from './node-crypto.ts'
import { createWitnessServer } from './witness-server.ts'

const USAGE = `Usage:
  tidegate-witness --name NAME --state DIR (--log VKEY | --log-file FILE)... [--port N]

Remembers the last checkpoint of each ledger and cosigns only what continues it. Listens on 127.0.0.1.

  --name NAME      the witness's name, a URL without scheme, such as witness.example/w1
  --state DIR      where it keeps its key and one file per ledger; a key is made there at the first start
  --log VKEY       watch the ledger with this key (name+id+base64); may be repeated
  --log-file FILE  the same, from a file
  --port N         listen there; a free port unless told

Prints its own verifier key and its address. Exit codes: 0 stopped by a signal, 1 cannot go on, 2 not understood.
`

const OPTIONS = {
  name: { type: 'string' },
  state: { type: 'string' },
  log: { type: 'string', multiple: true, default: [] as string[] },
  'log-file': { type: 'string', multiple: true, default: [] as string[] },
  port: { type: 'string', default: '0' },
  help: { type: 'boolean', default: false },
} as const

interface Settings {
  readonly name: string
  readonly state: string
  readonly logKeys: readonly VerifierKey[]
  readonly port: number
}

/** Runs `tidegate-witness` until a signal stops it, and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const settings = parseSettings(argv)
    if (settings !== 'help') return await serve(settings)
    process.stdout.write(USAGE)
    return 0
  } catch (error) {
    if (!(error instanceof WitnessError)) throw error
    process.stderr.write(`tidegate-witness: ${error.message} (${error.code})\n`)
    return error.code === 'witness_usage' ? 2 : 1
  }
}

async function serve({ name, state, logKeys, port }: Settings): Promise<number> {
  const store = openCheckpointStore(state)
  try {
    const signer = openKeyFile(join(state, 'witness.key'), name)
    const witness = createWitness({ signer, logKeys, store, nowSeconds: () => Math.floor(Date.now() / 1000) })
    const stopped = Promise.withResolvers<number>()
    // A witness that cannot remember must not go on answering: what it cosigned then could be rolled back.
    const server = createWitnessServer(witness, (error) => {
      process.stderr.write(
        `tidegate-witness: ${error instanceof WitnessError ? `${error.message} (${error.code})` : String(error)}\n`,
      )
      stopped.resolve(1)
    })
    server.on('error', stopped.reject)
    process.once('SIGINT', () => stopped.resolve(0))
    process.once('SIGTERM', () => stopped.resolve(0))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address() as AddressInfo // sound: a TCP server that listens has one
      process.stdout.write(`vkey ${witness.verifierKey}\nlistening http://127.0.0.1:${address.port}\n`)
    })
    const code = await stopped.promise
    server.close()
    server.closeAllConnections()
    return code
  } finally {
    store.close()
  }
}

function parseSettings(argv: readonly string[]): Settings | 'help' {
  const { values } = parseOptions(argv)
  if (values.help) return 'help'
  if (values.name === undefined || values.state === undefined) throw new WitnessError('witness_usage', 'Give --name and --state.')
  const port = Number(values.port)
  if (!/^[0-9]{1,5}$/.test(values.port) || port > 65_535)
    throw new WitnessError('witness_usage', '--port is a number up to 65535.')
  const logKeys = [...values.log, ...values['log-file'].map(readKeyFile)].map(readKey)
  if (logKeys.length === 0)
    throw new WitnessError('witness_usage', 'Give the key of at least one ledger with --log or --log-file.')
  return { name: values.name, state: values.state, logKeys, port }
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true })
  } catch (cause) {
    throw new WitnessError('witness_usage', cause instanceof Error ? cause.message : 'The options cannot be read.', { cause })
  }
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new WitnessError('witness_usage', `The file ${path} cannot be read.`, { cause })
  }
}

function readKey(text: string): VerifierKey {
  try {
    const key = parseVerifierKey(nodeHasher, text)
    if (key.algorithm === 'ed25519') return key
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause
    throw new WitnessError('witness_usage', `The key of a ledger cannot be used. ${cause.message}`, { cause })
  }
  throw new WitnessError('witness_usage', 'A ledger\u2019s key signs plain Ed25519; this one is a witness\u2019s.')
}
