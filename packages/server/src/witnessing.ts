import { nodeHasher, nodeVerifier } from '@tidegate/crypto-node'
import type { Clock, LedgerHead, LedgerReader, Log } from '@tidegate/kernel'
import { createWitnessing, type WitnessState } from '@tidegate/runtime'
import { createHttpWitness } from '@tidegate/witness-http'
import type { Configuration } from '@tidegate/project'
import { ServerError } from './error.ts'

/** A ledger that a witness watches. */
export interface WatchedLedger {
  /** Its head carries the cosignature as long as it is the one that the witness signed. */
  readonly ledger: LedgerReader
  /** Shows the newest head now. */
  readonly show: () => Promise<void>
  readonly stop: () => void
}

/**
 * Shows the ledger to the configured witness before anything is done, and then at intervals. A witness that holds a longer ledger
 * than ours means that our tail is lost: we do not start, and do not go on.
 *
 * @throws ServerError `ledger_shortened`; and, when the witness is required, `state_unusable` if it does not answer.
 */
export async function startWitnessing(parts: {
  configuration: Configuration
  clock: Clock
  ledger: LedgerReader
  log: Log
}): Promise<WatchedLedger | undefined> {
  const { configuration, clock, ledger, log } = parts
  const { witness } = configuration
  if (witness === undefined) return undefined
  const port = createHttpWitness({ url: witness.url })
  const witnessing = createWitnessing({
    ledger,
    witness: port,
    witnessKey: witness.key,
    hasher: nodeHasher,
    verifier: nodeVerifier,
    clock,
    log,
  })
  const first = await witnessing.show()
  if (first.kind === 'shortened') throw shortened(first)
  if (first.kind === 'unavailable') {
    if (witness.required) throw new ServerError('state_unusable', `The witness is required, but did not cosign: ${first.detail}`)
    log({ level: 'warning', code: 'witness_unavailable', message: `the witness did not cosign: ${first.detail}` })
  }
  const stopShowing = witnessing.every(witness.every, (state) => {
    log({ level: 'error', code: 'ledger_shortened', message: shortened(state).message })
    process.exitCode = 1
    process.kill(process.pid, 'SIGTERM')
  })
  const stop = (): void => {
    stopShowing()
    port.close()
  }
  const head = (): LedgerHead => {
    const own = ledger.head()
    const { cosigned } = witnessing
    return cosigned?.startsWith(own.checkpoint) ? { ...own, checkpoint: cosigned } : own
  }
  const show = async (): Promise<void> => {
    await witnessing.show()
  }
  return { ledger: { ...ledger, head }, show, stop }
}

function shortened(state: Extract<WitnessState, { kind: 'shortened' }>): ServerError {
  const message = `The witness has seen ${state.heldSize} entries of this ledger, and it does not follow from the ${state.size} that are here: entries are lost or altered. Restore the newest copy of the journal; do not go on with this one.`
  return new ServerError('ledger_shortened', message)
}
