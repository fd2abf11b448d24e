import {
  type AdoptionCause,
  type ChangeAuthor,
  type ControlEvent,
  type Hasher,
  type Journal,
  type Json,
  type Log,
  type PolicyAdopted,
  type PolicyEngine,
  type PolicyFault,
  type PolicyLoader,
  type PolicySet,
  type PolicyText,
  textDigest,
  textEvents,
} from '@tidegate/kernel'
import type { Control } from '../control.ts'
import { RuntimeError } from '../error.ts'
import { type ChangeHistory, createChangeHistory, type RecordedVersion } from './change-history.ts'
import { batches, digestOfTexts, type LayeredText, problemOfTexts } from './policy-texts.ts'

/** What a store of policies is made of. */
export interface PolicyStoreParts {
  readonly journal: Pick<Journal, 'read'>
  readonly control: Control
  readonly loader: PolicyLoader
  readonly hasher: Hasher
  readonly log: Log
  /** The policies of the project as they are on disk. */
  readonly onDisk: readonly LayeredText[]
  /** What Tidegate adds to every set. */
  readonly builtin: readonly PolicyText[]
  /** True when changes are reviewed: files on disk are then not in force until they are applied. */
  readonly reviewed: boolean
}

/** A set that could come into force: checked, with the texts that it was made of (those built in left out). */
export interface Candidate {
  readonly set: PolicySet
  readonly texts: readonly LayeredText[]
  readonly digest: string
}

export type CandidateLoading =
  | { readonly kind: 'loaded'; readonly candidate: Candidate }
  | { readonly kind: 'refused'; readonly faults: readonly PolicyFault[]; readonly cause: Error }

/**
 * The policies in force, and every version that ever was. It is itself an engine, of the set that is in force at the moment: `version`
 * and `evaluate` that are read in one turn belong together.
 */
export interface PolicyStore extends PolicyEngine {
  readonly inForce: Candidate
  readonly record: PolicyAdopted
  readonly history: ChangeHistory
  readonly reviewed: boolean
  /** Checks texts as a set that could come into force, with what is built in. */
  load(texts: readonly LayeredText[]): Promise<CandidateLoading>
  /** The recorded texts of a version, or undefined when one of them is not there. */
  textsOf(version: RecordedVersion): readonly LayeredText[] | undefined
  /** The set of a version as it was, schema included. Undefined when it is not recorded or cannot be made any more. */
  restore(version: RecordedVersion): Promise<PolicySet | undefined>
  /**
   * Brings a set into force unless another one is than the author believed. When this answers, the set is durable, it decides, and
   * the epoch is raised in the same transaction: nothing that was decided under the set before starts any more.
   */
  adopt(
    candidate: Candidate,
    author: ChangeAuthor,
    options: { readonly previous: string; readonly cause: AdoptionCause },
  ): Promise<'adopted' | 'superseded'>
  /** Waits until whatever is being adopted is, or is not. */
  idle(): Promise<void>
}

/** Where the policies that Tidegate adds are said to stand. */
export const BUILTIN_LAYER = 'builtin'
/** How many sets of earlier times are kept ready. */
const KEPT_SETS = 8

/**
 * Opens the store: the version in force is the one that was recorded last. Without reviewers the files on disk come into force at
 * every start, and are recorded; with reviewers only at the first.
 *
 * @throws RuntimeError `policy_unfit` when the recorded policies do not fit what is declared now; what the loader threw for files on
 * disk that are refused while nothing else could be in force.
 */
export async function openPolicyStore(parts: PolicyStoreParts): Promise<PolicyStore> {
  const history = createChangeHistory(parts.hasher, await parts.journal.read('control'))
  const force = createForce(parts, history)
  const load = (texts: readonly LayeredText[]): Promise<CandidateLoading> => loadCandidate(parts, texts)
  const textsOf = (version: RecordedVersion) => ownTextsOf(history, version)
  const { candidate, cause, why } = await decideStart(parts, history, { load, textsOf })
  if (cause === null) force.begin(candidate)
  else await force.record(candidate, { ...BY_START, why }, cause)
  return createStore(parts, { history, force, load, textsOf })
}

function createStore(
  { loader, reviewed }: PolicyStoreParts,
  { history, force, load, textsOf }: Pick<PolicyStore, 'history' | 'load' | 'textsOf'> & { readonly force: Force },
): PolicyStore {
  const restored = new Map<string, PolicySet>()
  let last: Promise<unknown> = Promise.resolve()
  const store: PolicyStore = {
    history,
    reviewed,
    load,
    textsOf,
    get inForce() {
      return force.current
    },
    get record() {
      return lastOf(history)
    },
    get version() {
      return force.current.set.engine.version
    },
    get meters() {
      return force.current.set.engine.meters ?? []
    },
    evaluate: (request) => force.current.set.engine.evaluate(request),
    async restore(version) {
      const key = `${version.version} ${version.index}`
      const made = restored.get(key) ?? (await restoreSet(loader, history, version))
      if (made === undefined || restored.has(key)) return made
      const [oldest] = restored.keys()
      if (restored.size >= KEPT_SETS && oldest !== undefined) restored.delete(oldest)
      restored.set(key, made)
      return made
    },
    adopt(candidate, author, { previous, cause }) {
      const next = last.then(async () => {
        if (store.version !== previous) return 'superseded' as const
        await force.record(candidate, author, cause)
        return 'adopted' as const
      })
      last = next.catch(() => undefined) // the caller has the rejection; the next one must not inherit it
      return next
    },
    idle: async () => void (await last),
  }
  return store
}

/** The set that decides, and the way to replace it. */
interface Force {
  readonly current: Candidate
  /** Lets a set decide that is recorded already. */
  begin(candidate: Candidate): void
  /** Records a set. It decides from the very turn in which its record is answered. */
  record(candidate: Candidate, author: ChangeAuthor, cause: AdoptionCause): Promise<void>
}

/**
 * If we crash before the last record, the old set is in force, and some texts are recorded that nobody names. If we crash after it, the
 * new one is in force from the next start on, and nothing has started under the old one since: the epoch was raised with it.
 */
function createForce({ control, hasher, builtin }: PolicyStoreParts, history: ChangeHistory): Force {
  const prepared = new Map<string, Candidate>()
  let current: Candidate | undefined

  control.follow((entry) => {
    history.follow(entry)
    const adopted = (entry.events as readonly ControlEvent[]).findLast((event) => event.type === 'policy.adopted')
    if (adopted !== undefined) current = prepared.get(adopted.version) ?? current
  })

  return {
    get current() {
      if (current === undefined) throw new RuntimeError('policy_unfit', 'No policies are in force.')
      return current
    },
    begin(candidate) {
      current = candidate
    },
    async record(candidate, author, cause) {
      const { set, texts, digest } = candidate
      const files = [...texts, ...builtin.map((file) => ({ ...file, layer: BUILTIN_LAYER }))]
      const all = new Map([...files.map(({ text }) => text), set.schema].map((text) => [textDigest(hasher, text), text]))
      const fresh = [...all].filter(([known]) => history.texts.get(known) === undefined)
      for (const batch of batches(fresh.flatMap(([, text]) => textEvents(hasher, text))))
        await control.append(batch, { raisesEpoch: false })
      const adopted: PolicyAdopted = {
        type: 'policy.adopted',
        version: set.engine.version,
        texts: digest,
        previous: control.state.policy?.version ?? null,
        cause,
        ...author,
        files: files.map(({ file, layer, text }) => ({ file, layer, digest: textDigest(hasher, text) })),
        schema: textDigest(hasher, set.schema),
      }
      prepared.set(adopted.version, candidate)
      try {
        await control.append([adopted], { raisesEpoch: true })
      } finally {
        prepared.delete(adopted.version)
      }
    },
  }
}

async function loadCandidate(
  { loader, builtin, hasher }: PolicyStoreParts,
  texts: readonly LayeredText[],
): Promise<CandidateLoading> {
  const problem = problemOfTexts(texts as unknown as Json)
  if (problem !== undefined)
    return { kind: 'refused', faults: [], cause: new RuntimeError('policy_unfit', `The policies cannot be taken: ${problem}.`) }
  const loading = await loader.load([...builtin, ...texts]) // whoever takes an id of ours is told so at their own place
  if (loading.kind === 'refused') return loading
  return { kind: 'loaded', candidate: { set: loading.set, texts, digest: digestOfTexts(hasher, texts) } }
}

/** The texts of a version but for those built in, or undefined when one of them is not there. */
function ownTextsOf({ texts }: ChangeHistory, { files }: RecordedVersion): readonly LayeredText[] | undefined {
  const own = files.filter(({ layer }) => layer !== BUILTIN_LAYER)
  const found = own.flatMap(({ file, layer, digest }) => {
    const text = texts.get(digest)
    return text === undefined ? [] : [{ file, layer, text }]
  })
  return found.length === own.length ? found : undefined
}

const BY_START: ChangeAuthor = { by: 'system:start', reviewers: [], run: null, effect: null, why: '' }

interface Start {
  readonly candidate: Candidate
  /** Null when what is recorded is in force already. */
  readonly cause: AdoptionCause | null
  readonly why: string
}

/** Which policies a start brings into force. */
async function decideStart(
  parts: PolicyStoreParts,
  history: ChangeHistory,
  { load, textsOf }: Pick<PolicyStore, 'load' | 'textsOf'>,
): Promise<Start> {
  const recorded = history.versions.at(-1)
  if (recorded === undefined || !parts.reviewed) {
    const loading = await load(parts.onDisk)
    if (loading.kind === 'refused') throw loading.cause
    const { candidate } = loading
    if (recorded === undefined) return { candidate, cause: 'first_start', why: 'the first start of this project' }
    if (candidate.digest !== recorded.texts) return { candidate, cause: 'start', why: 'the files have changed' }
    return { candidate, ...causeOfSame(candidate, recorded) }
  }
  const texts = textsOf(recorded)
  if (texts === undefined)
    throw new RuntimeError('policy_unfit', `The texts of the policies in force (${short(recorded)}) are not in the ledger whole.`)
  const loading = await load(texts)
  if (loading.kind === 'refused') throw unfit(recorded, loading)
  await warnOfDifference(parts, load, recorded)
  return { candidate: loading.candidate, ...causeOfSame(loading.candidate, recorded) }
}

function causeOfSame({ set }: Candidate, recorded: RecordedVersion): Pick<Start, 'cause' | 'why'> {
  const same = set.engine.version === recorded.version
  return same
    ? { cause: null, why: '' }
    : { cause: 'schema', why: 'what is declared, or who reviews changes, is other than before' }
}

function unfit(recorded: RecordedVersion, { faults, cause }: { faults: readonly PolicyFault[]; cause: Error }): RuntimeError {
  const places = faults.slice(0, 20).map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
  const message = [
    `The policies in force (${short(recorded)}) do not fit the tools and workflows as they are declared now:`,
    ...(places.length === 0 ? [cause.message] : places),
    'Put the tools and workflows back as they were and start again. Then apply policies that fit both (tidegate policy apply), and only',
    'then change the tools. Nothing is started with policies that are only partly understood.',
  ].join('\n')
  return new RuntimeError('policy_unfit', message, { cause })
}

/** Says that the files on disk are not in force, and what to type. */
async function warnOfDifference(
  { onDisk, log, hasher }: PolicyStoreParts,
  load: PolicyStore['load'],
  recorded: RecordedVersion,
): Promise<void> {
  if (digestOfTexts(hasher, onDisk) === recorded.texts) return
  const loading = await load(onDisk)
  const state = loading.kind === 'loaded' ? '' : ` (and would be refused: ${loading.cause.message.split('\n', 1)[0] ?? ''})`
  log({
    level: 'warning',
    code: 'policy_not_applied',
    message: `the policy files on disk are not what is in force${state}; version ${short(recorded)} goes on deciding. See the difference: tidegate policy plan. Bring them into force: tidegate policy apply --why "..."`,
  })
}

function short({ version }: { readonly version: string }): string {
  return version.slice(0, 12)
}

function lastOf(history: ChangeHistory): RecordedVersion {
  const recorded = history.versions.at(-1)
  if (recorded === undefined) throw new RuntimeError('policy_unfit', 'No policies are recorded.')
  return recorded
}

async function restoreSet(
  loader: PolicyLoader,
  { texts }: ChangeHistory,
  version: RecordedVersion,
): Promise<PolicySet | undefined> {
  const schema = texts.get(version.schema)
  const files = version.files.flatMap(({ file, digest }) => {
    const text = texts.get(digest)
    return text === undefined ? [] : [{ file, text }]
  })
  if (schema === undefined || files.length !== version.files.length) return undefined
  const loading = await loader.restore(files, schema)
  return loading.kind === 'loaded' ? loading.set : undefined
}
