import { CONFIDENCE_INCOMPLETE, joinOrigins, type Origin } from '@tidegate/kernel'
import type { ClassRules, Matcher, Verdict } from './graph.ts'
import { containsPhrase, foldText } from './phrase.ts'
import type { SourceText, SourceTexts } from './texts.ts'

/** A class, how sure that is, and who wrote what decided it. */
export interface Classified extends Verdict {
  readonly origins: readonly Origin[]
}

/**
 * Classifies by rules: the first that matches decides. Pure.
 *
 * The origins are those of the texts that the matching rule was found in, since whoever wrote these chose the class. Where no rule
 * matches, all the texts together decided. Deciding on a part of a text is never certain.
 */
export function classifyByRules({ rules, otherwise }: ClassRules, { texts, whole }: SourceTexts): Classified {
  const folded = texts.map(({ text, origins }) => ({ text: foldText(text), origins }))
  const ceiling = whole ? 10_000 : CONFIDENCE_INCOMPLETE
  for (const rule of rules) {
    const origins = matchOrigins(rule.when, folded)
    if (origins !== undefined) return { class: rule.class, confidence: Math.min(rule.confidence, ceiling), origins }
  }
  return { ...otherwise, confidence: Math.min(otherwise.confidence, ceiling), origins: joinAll(folded) }
}

/** Who wrote the texts that fulfil the matcher; undefined when they do not. */
function matchOrigins({ any, all, none }: Matcher, texts: readonly SourceText[]): readonly Origin[] | undefined {
  const holder = (phrases: readonly string[]): SourceText | undefined => {
    const wanted = phrases.map(foldText)
    return texts.find(({ text }) => wanted.some((phrase) => containsPhrase(text, phrase)))
  }
  if (holder(none) !== undefined) return undefined
  const holders = [...all.map((phrase) => holder([phrase])), ...(any.length === 0 ? [] : [holder(any)])]
  return holders.every((text) => text !== undefined) ? joinAll(holders) : undefined
}

/** Who had a hand in any of these texts. */
export function joinAll(texts: readonly SourceText[]): readonly Origin[] {
  return texts.reduce<readonly Origin[]>((joined, { origins }) => joinOrigins(joined, origins), [])
}
