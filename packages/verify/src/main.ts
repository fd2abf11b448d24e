import { decodeUtf8, encodeHex, KernelError, RECEIPT_MAX_BYTES } from '@tidegate/kernel'
import { type Command, parseCommand, USAGE } from './arguments.ts'
import { readBounded } from './bounded-file.ts'
import { VerifyError } from './error.ts'
import { renderExport, renderReceipt } from './render.ts'
import { verifyExport } from './verify-export.ts'
import { type ReceiptTextVerdict, verifyReceiptText } from './verify-receipt-file.ts'

/** Where the program writes. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

const TERMINAL: Output = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
}

/** Runs `tidegate-verify` and returns its exit code: 0 verified, 1 refused, 2 not understood. */
export function main(argv: readonly string[], output: Output = TERMINAL): number {
  let command: Command
  try {
    command = parseCommand(argv)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    output.err(`tidegate-verify: ${error.message} (${error.code})\nSee tidegate-verify --help.\n`)
    return 2
  }
  if (command.kind === 'help') {
    output.out(USAGE)
    return 0
  }
  return command.kind === 'export' ? runExport(command, output) : runReceipt(command, output)
}

function runExport(command: Extract<Command, { kind: 'export' }>, output: Output): number {
  const verdict = verifyExport(command.directory, command)
  output.out(command.json ? `${JSON.stringify(verdict)}\n` : renderExport(verdict))
  return verdict.kind === 'verified' ? 0 : 1
}

function runReceipt(command: Extract<Command, { kind: 'receipt' }>, output: Output): number {
  const verdict = verifyReceiptFile(command)
  output.out(command.json ? `${JSON.stringify(plainReceipt(verdict))}\n` : renderReceipt(verdict))
  return verdict.kind === 'verified' ? 0 : 1
}

function verifyReceiptFile(command: Extract<Command, { kind: 'receipt' }>): ReceiptTextVerdict {
  const read = readBounded(command.file, RECEIPT_MAX_BYTES)
  if (read.kind !== 'read') {
    const detail = `The file ${command.file} cannot be used: ${read.kind === 'missing' ? 'it is not there' : read.detail}.`
    return { kind: 'refused', because: 'file_missing', detail }
  }
  try {
    return verifyReceiptText(decodeUtf8(read.bytes), command)
  } catch (error) {
    if (error instanceof KernelError) return { kind: 'refused', because: error.code, detail: error.message }
    throw error
  }
}

/** The verdict without bytes, for JSON. */
function plainReceipt(verdict: ReceiptTextVerdict): object {
  if (verdict.kind === 'refused') return verdict
  const { checkpoint, cosigned, receipt } = verdict
  const { origin, size, root } = checkpoint
  return { kind: 'verified', origin, size, rootHex: encodeHex(root), index: receipt.index, entry: receipt.entry, cosigned }
}
