import {
  type ControlEvent,
  createRecordedTexts,
  decodeListing,
  type Entry,
  type Hasher,
  type Listing,
  type OperationsAccepted,
  type PolicyAdopted,
  type RecordedTexts,
} from '@tidegate/kernel'

/** A version of the policies, as the ledger has it. */
export interface RecordedVersion extends PolicyAdopted {
  /** Index of its record in the ledger, and its time. */
  readonly index: number
  readonly atMs: number
}

/** By what was decided, and when: everything that the control stream recorded about policies and declarations. */
export interface ChangeHistory {
  readonly texts: RecordedTexts
  /** Oldest first. */
  readonly versions: readonly RecordedVersion[]
  /** The last adoption of a version, by all of its hex digits or at least the first six when only one begins so. */
  version(prefix: string): RecordedVersion | undefined
  /** The record of an effect that adopted something. */
  adoptedBy(effect: string): RecordedVersion | undefined
  /** The record of an effect that accepted an operation. */
  acceptedBy(effect: string): OperationsAccepted | undefined
  /** The version of the operation that was accepted before that record; empty when none was. */
  acceptedBefore(effect: string): string
  /** What was declared when the record with this index was made. */
  listingAt(index: number): Listing | undefined
  /** The declaration of an operation in a version, as canonical JSON; undefined when it was never recorded. */
  declaration(operation: string, version: string): string | undefined
  /** Takes one more record of the control stream. */
  follow(entry: Entry): void
}

const MIN_PREFIX = 6

/** Reads the history out of the records of the control stream. */
export function createChangeHistory(hasher: Hasher, entries: readonly Entry[]): ChangeHistory {
  const texts = createRecordedTexts(hasher)
  const versions: RecordedVersion[] = []
  const acceptances = new Map<string, { readonly event: OperationsAccepted; readonly before: string }>()
  const accepted = new Map<string, string>()
  const listings: { readonly index: number; readonly listing: Listing }[] = []

  function follow({ index, atMs, events }: Entry): void {
    for (const event of events as readonly ControlEvent[]) {
      if (event.type === 'text.recorded') texts.add(event)
      else if (event.type === 'policy.adopted') versions.push({ ...event, index, atMs })
      else if (event.type === 'operations.accepted') noteAccepted(event)
      else if (event.type === 'project.loaded') {
        const text = texts.get(event.listing)
        if (text !== undefined) listings.push({ index, listing: decodeListing(text) })
      }
    }
  }

  function noteAccepted(event: OperationsAccepted): void {
    const [first = ''] = Object.keys(event.operations)
    if (event.effect !== null) acceptances.set(event.effect, { event, before: accepted.get(first) ?? '' })
    for (const [operation, version] of Object.entries(event.operations)) accepted.set(operation, version)
  }

  for (const entry of entries) follow(entry)
  return {
    texts,
    versions,
    follow,
    version(prefix) {
      const exact = versions.findLast(({ version }) => version === prefix)
      if (exact !== undefined || prefix.length < MIN_PREFIX) return exact
      const matching = versions.filter(({ version }) => version.startsWith(prefix))
      return new Set(matching.map(({ version }) => version)).size === 1 ? matching.at(-1) : undefined
    },
    adoptedBy: (effect) => versions.find((version) => version.effect === effect),
    acceptedBy: (effect) => acceptances.get(effect)?.event,
    acceptedBefore: (effect) => acceptances.get(effect)?.before ?? '',
    listingAt: (index) => listings.findLast((each) => each.index <= index)?.listing,
    declaration(operation, version) {
      const found = listings.findLast(({ listing }) => listing.operations[operation]?.version === version)
      return texts.get(found?.listing.operations[operation]?.declaration ?? '')
    },
  }
}
