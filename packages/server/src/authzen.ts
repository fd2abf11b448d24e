import { join } from 'node:path'
import { createSigningKey, nodeEntropy, nodeHasher, nodeVerifier, signerOf } from '@tidegate/crypto-node'
import type { Clock, RunState, Signer } from '@tidegate/kernel'
import { type Configuration, loadEntityPolicy } from '@tidegate/project'
import {
  ACCESS_TIMES,
  type AccessTimes,
  type AuthZen,
  type BuiltinPart,
  type Control,
  createAccessPart,
  createAuthZen,
  createEntitySource,
  type StartedTidegate,
} from '@tidegate/runtime'
import { ServerError } from './error.ts'
import { readOrCreatePrivate } from './state/private-file.ts'

/** Decisions for others, as far as they can be prepared before anything is opened. */
export interface PreparedAuthZen {
  /** Grants of access, as a part of the built-in tool. */
  readonly part: BuiltinPart
  /** Puts the rest together once the runtime runs. */
  start(running: {
    readonly tidegate: StartedTidegate
    readonly clock: Clock
    readonly control: Control
    readonly stateDirectory: string
  }): AuthZen
}

/**
 * Prepares decisions for others: loads and checks the project's policies for entities, before anything is opened.
 *
 * @throws ProjectError or CedarError for policies, a schema or entities that are wrong.
 */
export function prepareAuthZen(project: string, configuration: Configuration): PreparedAuthZen {
  const entityPolicy = loadEntityPolicy(project, configuration)
  const times = timesOf(configuration)
  let running: { readonly tidegate: StartedTidegate; readonly clock: Clock } | undefined
  const load = async (run: string): Promise<RunState | undefined> => running?.tidegate.harness.load(run)
  // Nothing is granted before the runtime runs.
  const nowMs = (): number => running?.clock.nowMs() ?? 0
  const part = createAccessPart({ hasher: nodeHasher, nowMs, load, environment: configuration.environment, ...times })
  return {
    part,
    start({ tidegate, clock, control, stateDirectory }) {
      running = { tidegate, clock }
      const identifier = `${configuration.trustDomain}/${configuration.name}`
      return createAuthZen({
        identifier,
        signer: openSigner(stateDirectory, identifier),
        verifier: nodeVerifier,
        hasher: nodeHasher,
        entropy: nodeEntropy,
        clock,
        control: () => control.state,
        sources: [tidegate.decisions, ...(entityPolicy === undefined ? [] : [createEntitySource(entityPolicy)])],
        runs: { open: tidegate.openInternal, load, list: tidegate.runs, withdraw: tidegate.withdraw },
        times,
      })
    },
  }
}

function timesOf({ authzen }: Configuration): AccessTimes {
  if (authzen === undefined) return ACCESS_TIMES
  const { ask, answer, grant } = authzen.requests
  return { askMs: ask, answerMs: answer, grantMs: grant }
}

/** The key that signs what goes out to be brought back: made at the first start, and not the ledger's. */
function openSigner(directory: string, name: string): Signer {
  const pem = readOrCreatePrivate(join(directory, 'keys', 'authzen.key'), createSigningKey)
  try {
    return signerOf(name, pem)
  } catch (cause) {
    throw new ServerError(
      'state_unusable',
      'keys/authzen.key is not an Ed25519 key. Restore it, or delete it: open approvals are then void.',
      {
        cause,
      },
    )
  }
}
