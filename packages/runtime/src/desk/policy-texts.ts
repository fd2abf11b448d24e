import { canonicalJson, type Hasher, isObject, type Json, type PolicyText, textDigest, type TextRecorded } from '@tidegate/kernel'

/** A file of policies, and where it comes from: `profile`, `project` or `limits`. What is built in is added by the store itself. */
export interface LayeredText extends PolicyText {
  readonly layer: string
}

/** What one set of policies may measure, beside the limits of each file. */
export const POLICY_SET_LIMITS = { files: 200, characters: 700_000, names: 10_000 } as const

/** Says what is wrong with texts that come from outside; undefined when nothing is. */
export function problemOfTexts(value: Json): string | undefined {
  if (!Array.isArray(value)) return 'expected a list of files'
  const files = value as readonly Json[]
  if (files.length === 0 || files.length > POLICY_SET_LIMITS.files) return `expected 1 to ${POLICY_SET_LIMITS.files} files`
  let characters = 0
  let named = 0
  const names = new Set<string>()
  for (const each of files) {
    const { file, layer, text } = isObject(each) ? each : {}
    if (typeof file !== 'string' || typeof layer !== 'string' || typeof text !== 'string') return 'expected {file, layer, text}'
    if (!/^[\p{L}\p{N}_][\p{L}\p{N}_./ @+-]{0,299}$/u.test(file) || names.has(file))
      return `"${file.slice(0, 80)}" is no name of a file, or stands twice`
    if (!['profile', 'project', 'limits'].includes(layer)) return 'a layer is profile, project or limits'
    names.add(file)
    characters += text.length
    named += file.length
  }
  if (named > POLICY_SET_LIMITS.names)
    return `the names of the files have ${named} characters together; at most ${POLICY_SET_LIMITS.names} will do`
  if (characters <= POLICY_SET_LIMITS.characters) return undefined
  return `the files have ${characters} characters together; at most ${POLICY_SET_LIMITS.characters} will do`
}

/** The identity of a set of texts: the order of files and their names have no meaning. */
export function digestOfTexts(hasher: Hasher, texts: readonly PolicyText[]): string {
  return textDigest(hasher, canonicalJson(texts.map(({ text }) => text).toSorted()))
}

/** UTF-16 units of one record, beside what its events say about themselves. */
const BATCH_UNITS = 10_000

/** Puts as many events into one record as certainly fit into a leaf. */
export function batches(events: readonly TextRecorded[]): readonly (readonly TextRecorded[])[] {
  const found: TextRecorded[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const event of events) {
    const units = event.text.length + 200
    if (size + units > BATCH_UNITS + 200) {
      found.push([])
      size = 0
    }
    found.at(-1)?.push(event)
    size += units
  }
  return found
}
