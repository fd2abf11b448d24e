import type { Clock, Entropy, Hasher, Journal, Log, PolicyEngine } from '@tidegate/kernel'
import type { Control } from '../control.ts'
import type { Meters } from '../meters/index.ts'
import type { Registry } from '../registry.ts'
import type { TaintIndex } from '../taint/index.ts'
import type { FindTimeFacts } from '../time-facts.ts'
import type { BreakerPanel } from './breakers.ts'
import type { InFlight } from './in-flight.ts'
import type { Labels } from './labels.ts'

/** Resolves a declared secret by name. Called once per use; what it returns is neither kept nor logged. */
export type SecretSource = (name: string) => Promise<string>

/** What the harness is made of. */
export interface HarnessParts {
  readonly journal: Journal
  readonly control: Control
  readonly registry: Registry
  readonly policy: PolicyEngine
  readonly clock: Clock
  readonly entropy: Entropy
  readonly hasher: Hasher
  readonly secrets: SecretSource
  readonly log: Log
  readonly breakers: BreakerPanel
  readonly inFlight: InFlight
  readonly meters: Meters
  readonly labels: Labels
  /** What was written under taint, by any run; when absent, labels are followed within each run only. */
  readonly taint?: TaintIndex
  readonly timeFacts: FindTimeFacts
  /** Roles of a person, as the project lists them; none for somebody it does not know. */
  readonly rolesOf: (user: string) => readonly string[]
  /** Call runs for whose answer somebody is waiting; without it there are no call runs. */
  readonly claims?: { has(run: string): boolean }
  /** Operations whose declaration changed and was not reviewed since; none when absent. */
  readonly quarantined?: () => ReadonlySet<string>
}
