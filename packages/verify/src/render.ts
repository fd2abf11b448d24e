import type { Cosigned } from '@tidegate/kernel'
import type { ExportVerdict } from './verdict.ts'
import type { ReceiptTextVerdict } from './verify-receipt-file.ts'

/** The verdict on an export, for people. */
export function renderExport(verdict: ExportVerdict): string {
  if (verdict.kind === 'refused') {
    return `REFUSED (${verdict.because})\n  at ${printable(verdict.place)}\n  ${printable(verdict.detail)}\n`
  }
  const { origin, size, rootHex, keyFrom, cosigned, sinceSize, payloads } = verdict
  const lines = [
    `VERIFIED ${printable(origin)}: ${size} entries`,
    `  root      ${rootHex}`,
    `  key       ${keyFrom === 'caller' ? 'as given' : 'from the export itself: who made it is not proven, give --key'}`,
    ...cosigned.map(renderCosigned),
    ...(sinceSize === undefined ? [] : [`  continues the older checkpoint of ${sinceSize} entries`]),
    `  payloads  ${payloads.present} present and intact, ${payloads.erased} not here (erased, or not exported)`,
  ]
  return `${lines.join('\n')}\n`
}

/** The verdict on a receipt, for people. */
export function renderReceipt(verdict: ReceiptTextVerdict): string {
  if (verdict.kind === 'refused') return `REFUSED (${verdict.because})\n  ${printable(verdict.detail)}\n`
  const { checkpoint, cosigned, receipt } = verdict
  const lines = [
    `VERIFIED entry ${receipt.index} of ${checkpoint.size} in ${printable(checkpoint.origin)}`,
    ...cosigned.map(renderCosigned),
    `  entry     ${printable(receipt.entry)}`,
  ]
  return `${lines.join('\n')}\n`
}

function renderCosigned({ name, timestampSeconds }: Cosigned): string {
  return `  cosigned  ${printable(name)} at ${renderTime(timestampSeconds)}`
}

function renderTime(seconds: number): string {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `second ${seconds}` : time.toISOString()
}

/** Text from outside, with everything that could move a cursor or turn the writing direction escaped. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
