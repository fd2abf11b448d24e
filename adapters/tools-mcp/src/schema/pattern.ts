/** The longest text, in UTF-16 units, that a pattern of a server is tried on. What is longer does not match. */
export const MAX_SUBJECT = 1_024

const MAX_PATTERN = 256
/** The most ways in which a pattern may be tried on one text. */
const MAX_WAYS = 1_048_576
/** How often a group may be repeated a fixed number of times: engines write such groups out. */
const MAX_GROUP_REPEATS = 64

/**
 * Compiles a regular expression that a server wrote, or answers undefined when it could take long.
 *
 * A backtracking engine tries, in the worst case, each combination of what its quantifiers and alternatives may take, from each place of the
 * text. That number is counted here, from above, for a text of {@link MAX_SUBJECT}; past a million the pattern is not used. So are
 * backreferences, lookaround, and repeated groups with a choice inside: `^(a+)+$` is refused, `^[a-z0-9-]+$` is not.
 */
export function compilePattern(source: string): RegExp | undefined {
  if (source.length > MAX_PATTERN) return undefined
  const ways = countWays(source)
  if (ways === undefined || ways > MAX_WAYS) return undefined
  for (const flags of ['u', '']) {
    try {
      return new RegExp(source, flags)
    } catch {
      // Tried again as the older syntax, which many schemas are written in.
    }
  }
  return undefined
}

/** True when a compiled pattern matches somewhere in a text that is not too long for it. */
export function matches(pattern: RegExp, text: string): boolean {
  return text.length <= MAX_SUBJECT && pattern.test(text)
}

interface Group {
  ways: number
  branches: number
}

function countWays(source: string): number | undefined {
  const open: Group[] = []
  let group: Group = { ways: 1, branches: 1 }
  let at = 0
  while (at < source.length) {
    const char = source[at]
    const isGroup = char === ')'
    let inner = 1
    if (char === '(') {
      if (source[at + 1] === '?' && source[at + 2] !== ':') return undefined
      open.push(group)
      group = { ways: 1, branches: 1 }
      at += source[at + 1] === '?' ? 3 : 1
      continue
    }
    if (char === '|') {
      group.branches += 1
      at += 1
      continue
    }
    if (isGroup) {
      const outer = open.pop()
      if (outer === undefined) return undefined
      inner = group.ways * group.branches
      group = outer
      at += 1
    } else if (char === '[') {
      at = endOfClass(source, at)
    } else if (char === '\\') {
      if (/[1-9k]/.test(source[at + 1] ?? '')) return undefined
      at += 2
    } else at += 1
    const quantifier = quantifierAt(source, at)
    if (quantifier === undefined) return undefined
    if (quantifier.repeats && (inner > 1 || (isGroup && quantifier.most > MAX_GROUP_REPEATS))) return undefined
    group.ways *= inner * quantifier.ways
    at = quantifier.end
    if (group.ways > MAX_WAYS) return undefined
  }
  if (open.length > 0) return undefined
  const isAnchored = source.startsWith('^') && group.branches === 1
  return group.ways * group.branches * (isAnchored ? 1 : MAX_SUBJECT)
}

function endOfClass(source: string, from: number): number {
  let at = from + 1
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1
  return at + 1
}

interface Quantifier {
  readonly ways: number
  readonly most: number
  readonly end: number
  readonly repeats: boolean
}

/** How many ways a quantifier at a place may be taken; 1 where there is none. */
function quantifierAt(source: string, at: number): Quantifier | undefined {
  const char = source[at]
  const lazy = (end: number) => (source[end] === '?' ? end + 1 : end)
  if (char === '*' || char === '+') return { ways: MAX_SUBJECT, most: 0, end: lazy(at + 1), repeats: true }
  if (char === '?') return { ways: 2, most: 1, end: lazy(at + 1), repeats: false }
  if (char !== '{') return { ways: 1, most: 1, end: at, repeats: false }
  const match = /^\{(\d{1,5})(?:(,)(\d{0,5}))?\}/.exec(source.slice(at, at + 16))
  if (match === null) return undefined
  const least = Number(match[1])
  const most = match[2] === undefined ? least : match[3] === '' ? MAX_SUBJECT : Number(match[3])
  if (most > MAX_SUBJECT) return undefined
  return { ways: Math.max(1, most - least + 1), most, end: lazy(at + match[0].length), repeats: most > 1 }
}
