import type { PolicyFile } from '@tidegate/cedar'
import { type Manifest, readManifests } from '../manifest/read-manifest.ts'
import { readSuites } from '../suite/read-suite.ts'
import type { ManifestOperation } from '../manifest/schema.ts'
import type { Suite } from '../suite/schema.ts'
import { createJudge, type PolicyScope, readProfile } from './judge.ts'
import type { PlanMode } from './replay.ts'
import { measureSuite, type SuiteReport, sumReports } from './measure.ts'

export interface AdversaryOptions {
  /** A directory with suites: `NAME.json`, `NAME.pairs.json`, `NAME.tools.json`. */
  readonly suiteDir: string
  /** A manifest file, or a directory with `NAME.manifest.yaml` files. */
  readonly manifest: string
  /** A profile that ships with the product: `balanced` or `strict`. */
  readonly profile?: string
  /**
   * True (the default): the operations of a task are granted before anything untrusted is read, and no others. False: nobody made a plan.
   * `lexical`: nobody did, and an operation whose name has no word in common with the turn asks.
   */
  readonly planGrant?: boolean | 'lexical'
  /** Only the rules about provenance (the default), or the whole profile. */
  readonly scope?: PolicyScope
  /** Policies in place of a profile. */
  readonly policies?: readonly PolicyFile[]
}

/** What the evaluation found. */
export interface AdversaryReport {
  readonly profile: string
  readonly scope: PolicyScope
  readonly plan: PlanMode
  readonly suites: readonly SuiteReport[]
  readonly overall: SuiteReport
  /** What a reader of the figures should know: operations that nobody declared, declarations that nothing uses. */
  readonly warnings: readonly string[]
}

/**
 * Judges a profile with a planner that is entirely in an attacker's hands. Deterministic and offline: replays the suites, decides every
 * call as the product does, and counts. Throws `EvalsError` when a suite, the manifest or the profile cannot be used.
 */
export function runAdversary(options: AdversaryOptions): AdversaryReport {
  const { suiteDir, manifest, profile = 'balanced', planGrant = true, scope = 'provenance' } = options
  const policies = options.policies ?? readProfile(profile, scope)
  const manifests = readManifests(manifest)
  const plan: PlanMode = planGrant === 'lexical' ? 'lexical' : planGrant ? 'plan' : 'none'
  const suites = readSuites(suiteDir)
  const reports = suites.map((suite) => {
    return measureSuite({ suite, judge: createJudge(suite, manifestFor(suite, manifests), policies), plan })
  })
  return {
    profile,
    scope,
    plan,
    suites: reports,
    overall: sumReports('overall', reports),
    warnings: suites.flatMap((suite) => warningsOf(suite, manifestFor(suite, manifests))),
  }
}

function manifestFor(suite: Suite, manifests: ReadonlyMap<string, Manifest>): ReadonlyMap<string, ManifestOperation> {
  return manifests.get(suite.name)?.operations ?? new Map()
}

function warningsOf(suite: Suite, operations: ReadonlyMap<string, ManifestOperation>): readonly string[] {
  const names = new Set(suite.tools.map((tool) => tool.name))
  const missing = [...names]
    .filter((name) => !operations.has(name))
    .map((name) => `${suite.name}: nothing is declared about "${name}": it asks`)
  const unused = [...operations.keys()]
    .filter((name) => names.size > 0 && !names.has(name))
    .map((name) => `${suite.name}: the manifest declares "${name}", which is no tool of the suite`)
  return [...missing, ...unused]
}
