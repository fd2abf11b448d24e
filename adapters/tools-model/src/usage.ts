import type { CallUsage } from '@tidegate/kernel'
import type { ReplyFacts } from './facts.ts'

/** What a million tokens cost, in the currency of the budget. */
export interface ModelPrice {
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  /** Input that the provider has kept from before; as much as other input unless told. */
  readonly cachedInputPerMillion?: number | undefined
}

/** What a reply has used, and whether the provider said so. */
export interface Used extends CallUsage {
  readonly cachedTokens: number
  readonly isEstimate: boolean
}

/** So many bytes make a token at least, in what models say and read: a guess that is rather too high. */
const BYTES_PER_TOKEN = 3

/**
 * What a call has used. What the provider does not say is guessed from the size of request and reply, rather too high than too low: who
 * leaves before the end, or asks somebody who does not count, has used something all the same.
 */
export function usedBy(
  { input, output, cached, said }: ReplyFacts,
  {
    model,
    requestBytes,
    isWhole,
    price,
  }: { readonly model: string; readonly requestBytes: number; readonly isWhole: boolean; readonly price: ModelPrice },
): Used {
  const guess = Math.ceil(said / BYTES_PER_TOKEN)
  const inputTokens = input ?? Math.ceil(requestBytes / BYTES_PER_TOKEN)
  // A count in the middle of a reply that was cut off is not the last one.
  const outputTokens = output === null ? guess : isWhole ? output : Math.max(output, guess)
  const cachedTokens = Math.min(cached, inputTokens)
  const { inputPerMillion, outputPerMillion, cachedInputPerMillion = inputPerMillion } = price
  const fresh = inputTokens - cachedTokens
  // A price per million tokens is the price of one token in millionths.
  const costMicros = Math.ceil(fresh * inputPerMillion + cachedTokens * cachedInputPerMillion + outputTokens * outputPerMillion)
  return { model, inputTokens, outputTokens, costMicros, cachedTokens, isEstimate: input === null || output === null || !isWhole }
}

export const NO_PRICE: ModelPrice = { inputPerMillion: 0, outputPerMillion: 0 }
