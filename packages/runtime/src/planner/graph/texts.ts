import { leavesOf, type Origin, resolveReference, type Scope } from '@tidegate/kernel'

/** UTF-16 units of one text that are looked at. */
const MAX_TEXT_LENGTH = 100_000
/** UTF-16 units of all texts of one step together. */
const MAX_TEXTS_LENGTH = 500_000

/** One text that a step looks at, and who wrote it. */
export interface SourceText {
  readonly text: string
  readonly origins: readonly Origin[]
}

/** The texts of a step, in order. */
export interface SourceTexts {
  readonly texts: readonly SourceText[]
  /** False when they were longer than what is looked at: what was decided was decided on a part. */
  readonly whole: boolean
}

/**
 * Collects the texts that references stand for, in order. A reference to a list or an object stands for all texts in it, each with
 * its own origins; one that leads nowhere adds nothing (not every ticket has attachments).
 */
export function collectTexts(references: readonly string[], scope: Scope): SourceTexts {
  let whole = true
  let left = MAX_TEXTS_LENGTH
  const texts: SourceText[] = []
  for (const reference of references) {
    const resolved = resolveReference(reference, scope)
    if (resolved === undefined) continue
    for (const [pointer, leaf] of leavesOf(resolved.value)) {
      if (typeof leaf !== 'string') continue
      const text = leaf.slice(0, Math.min(MAX_TEXT_LENGTH, left))
      whole &&= text.length === leaf.length
      left -= text.length
      const origins = resolveReference(`${reference}${pointer}`, scope)?.origins ?? resolved.origins
      texts.push({ text, origins })
    }
  }
  return { texts, whole }
}
