/** One part of a pattern as Cedar's policy form has it: any characters, or exactly these. */
export type PatternPart = 'Wildcard' | { readonly Literal: string }

/**
 * Compiles a pattern of `like`. A wildcard is any characters, none included; there is no other special character.
 *
 * Linear in the text for each literal between wildcards: the first place where a literal fits is never worse than a later one, so
 * nothing is tried twice.
 */
export function compilePattern(parts: readonly PatternPart[]): (text: string) => boolean {
  const literals = ['']
  for (const part of parts) {
    if (part === 'Wildcard') literals.push('')
    else literals[literals.length - 1] += part.Literal
  }
  const first = literals[0] ?? ''
  if (literals.length === 1) return (text) => text === first
  const last = literals.at(-1) ?? ''
  const middle = literals.slice(1, -1).filter((literal) => literal !== '')
  const shortest = first.length + last.length
  return (text) => {
    if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const literal of middle) {
      const found = text.indexOf(literal, at)
      if (found < 0 || found + literal.length > end) return false
      at = found + literal.length
    }
    return true
  }
}
