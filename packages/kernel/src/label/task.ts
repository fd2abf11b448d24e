import { type Moments, momentsIn } from './date.ts'
import { once } from './once.ts'
import { type Quantity, quantitiesIn } from './quantity.ts'
import { canonicalText, isGrammar, phraseText, quotedIn, stem } from './words.ts'

/** What the run was asked to do, in the words of those who may ask: the user's turn and the workflow. Ready to be searched. */
export interface Task {
  readonly raw: readonly string[]
  /** All of it in canonical form. */
  readonly text: string
  readonly stems: ReadonlySet<string>
  /** What stands in quotation marks, in canonical form. */
  readonly quoted: ReadonlySet<string>
  readonly quantities: readonly Quantity[]
  readonly moments: (today: readonly string[]) => Moments
}

/** The longest task that is read; what stands behind is not part of it. */
const MAX_TASK_LENGTH = 50_000

/** Reads a task. */
export function readTask(texts: readonly string[]): Task {
  const raw = texts.map((text) => text.slice(0, MAX_TASK_LENGTH))
  const joined = raw.join('\n')
  const text = phraseText(raw)
  const words = text.split(' ').filter((word) => word !== '' && !isGrammar(word))
  // Words inside an address, a path or a name with hyphens are words of the task too.
  const inner = words.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u)).filter((word) => word !== '')
  const absolute = once(() => momentsIn(joined, []))
  return {
    raw,
    text,
    stems: new Set([...words, ...inner].map(stem)),
    quoted: new Set(raw.flatMap(quotedIn).map(canonicalText)),
    quantities: quantitiesIn(joined),
    moments: (today) => (today.length === 0 ? absolute() : momentsIn(joined, today)),
  }
}
