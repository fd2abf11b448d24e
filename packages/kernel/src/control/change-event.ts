/**
 * Events of the `control` stream that record by what Tidegate decides, so that a decision can be explained and recomputed years later
 * from the ledger alone (docs/spec/policy-change.md). Nothing in them is sealed: rules are no customer's data, and retention must not
 * take them.
 */

/** One part of a text that other events name by its digest. A text is recorded once, however often it comes back. */
export interface TextRecorded {
  readonly type: 'text.recorded'
  /** Hex SHA-256 over the whole text as UTF-8. */
  readonly digest: string
  /** From 0. */
  readonly part: number
  readonly parts: number
  readonly text: string
}

/** Why a set of policies came into force. `schema`: the texts are the same, but what is declared has changed. */
export type AdoptionCause = 'first_start' | 'start' | 'schema' | 'change'

/** One file of policies; its text is recorded under the digest. */
export interface RecordedFile {
  readonly file: string
  /** Where it comes from: `profile`, `project`, `limits` or `builtin`. */
  readonly layer: string
  readonly digest: string
}

/** Who changed something, and by which run; `run` and `effect` are null for what a start does by itself. */
export interface ChangeAuthor {
  readonly by: string
  /** Who said yes. */
  readonly reviewers: readonly string[]
  readonly run: string | null
  /** The effect that this record is, so that it can be looked for after a crash (I4). */
  readonly effect: string | null
  readonly why: string
}

/** From this record on, actions are decided by these policies. */
export interface PolicyAdopted extends ChangeAuthor {
  readonly type: 'policy.adopted'
  /** The version that decisions name: over texts and schema. */
  readonly version: string
  /** Over the texts alone: two versions with the same texts differ in what they were checked against. */
  readonly texts: string
  readonly previous: string | null
  readonly cause: AdoptionCause
  readonly files: readonly RecordedFile[]
  /** Digest of the recorded schema that they were checked against. */
  readonly schema: string
}

/** From this record on, operations and workflows are declared as the recorded listing says. */
export interface ProjectLoaded {
  readonly type: 'project.loaded'
  /** Digest of the recorded listing. */
  readonly listing: string
  /** What is new, gone or other than before; the first 50 names. */
  readonly changed: readonly string[]
}

/** From this record on, these operations may be used as they are declared in these versions. */
export interface OperationsAccepted extends ChangeAuthor {
  readonly type: 'operations.accepted'
  readonly cause: 'first_start' | 'start' | 'change'
  /** Operation -> hex schema version. */
  readonly operations: Readonly<Record<string, string>>
}
