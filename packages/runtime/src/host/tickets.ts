import { actionDigest, type Clock, encodeHex, type Entropy, type FindOperation, type Hasher, type Json } from '@tidegate/kernel'

/** What a ticket is good for: one call that may go ahead. */
export interface Ticketed {
  readonly run: string
  readonly host: string
  readonly session: string
  readonly call: string
  /** Digest of the action that was decided. */
  readonly digest: string
}

/** Hands out tickets. They die with the process: what was allowed before a restart is decided again. */
export interface Tickets {
  /** What else stands in it is not kept. */
  issue(of: Ticketed): string
  /** Takes a ticket, once. `why` when it is not good for this call. */
  redeem(
    ticket: string,
    call: { readonly host: string; readonly operation: string; readonly arguments: Json },
  ): Ticketed | { readonly why: string }
}

const TICKET_MS = 60_000
const MAX_TICKETS = 10_000

/** A ticket is 256 random bits: it says nothing, and only we know what it is good for (I2, I8). */
export function createTickets({
  clock,
  entropy,
  hasher,
  find,
}: {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly hasher: Hasher
  readonly find: FindOperation
}): Tickets {
  const issued = new Map<string, Ticketed & { readonly untilMs: number }>()

  function digestOf(operation: string, args: Json): string | undefined {
    const declared = find(operation)
    if (declared === undefined) return undefined
    const shaped = declared.input.parse(args)
    return shaped.ok ? actionDigest(hasher, declared, shaped.value) : undefined
  }

  return {
    issue({ run, host, session, call, digest }) {
      const ticket = `tgt1.${encodeHex(entropy.bytes(32))}`
      issued.set(ticket, { run, host, session, call, digest, untilMs: clock.monotonicMs() + TICKET_MS })
      const [oldest] = issued.keys()
      if (issued.size > MAX_TICKETS && oldest !== undefined) issued.delete(oldest)
      return ticket
    },
    redeem(ticket, { host, operation, arguments: args }) {
      const found = issued.get(ticket)
      issued.delete(ticket) // also one that does not fit: whoever tries has had their try
      if (found === undefined || found.host !== host) return { why: 'the ticket is not known: it was used, or is not ours' }
      if (found.untilMs < clock.monotonicMs()) return { why: 'the ticket has expired' }
      if (digestOf(operation, args) !== found.digest)
        return { why: 'the ticket is for another call: the arguments have changed since' }
      return found
    },
  }
}
