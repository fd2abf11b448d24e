import type { Seen } from './context.ts'
import type { Evidence } from './evidence.ts'
import { once } from './once.ts'

/** So many answers in a row are joined into one piece of evidence. */
const BLOCK = 16
/** Longer answers stay by themselves: to join them costs their texts a second time, and saves little. */
const MAX_JOINED_LENGTH = 2_000

/**
 * The evidence of all that was seen, in few pieces: every search goes through all of them, and a conversation remembers hundreds of short
 * answers. Whether something is found does not depend on the pieces; the words of one answer never run on into the next.
 */
export function evidenceIn(seen: readonly Seen[]): readonly Evidence[] {
  const known = LISTS.get(seen)
  if (known !== undefined) return known
  const all: Evidence[] = []
  for (let at = 0; at < seen.length; ) {
    const end = endOfBlock(seen, at)
    // Only whole blocks are joined: what is at the edges of the list is in another one with the next answer.
    all.push(...(end - at === BLOCK ? blockAt(seen, at) : telling(seen.slice(at, end))))
    at = end
  }
  LISTS.set(seen, all)
  return all
}

/** Kept for as long as somebody holds what was seen; all of it can be computed again. */
const LISTS = new WeakMap<readonly Seen[], readonly Evidence[]>()
const BLOCKS = new WeakMap<Seen, readonly Evidence[]>()

/** Blocks begin at certain numbers, so that they stay the same when older answers are forgotten. */
function endOfBlock(seen: readonly Seen[], from: number): number {
  const block = blockOf(seen[from])
  const whole = from + BLOCK
  // Numbers only rise, so that what lies between two of one block is of that block.
  if (whole <= seen.length && blockOf(seen[whole - 1]) === block) return whole
  let end = from + 1
  while (end < seen.length && blockOf(seen[end]) === block) end++
  return end
}

function blockOf(seen: Seen | undefined): number {
  return Math.floor((seen?.n ?? 0) / BLOCK)
}

function blockAt(seen: readonly Seen[], from: number): readonly Evidence[] {
  const first = seen[from]
  const known = first === undefined ? undefined : BLOCKS.get(first)
  if (known !== undefined) return known
  const all = telling(seen.slice(from, from + BLOCK))
  const short = all.filter(isShort)
  const block = [...all.filter((evidence) => !isShort(evidence)), ...(short.length > 0 ? [join(short)] : [])]
  if (first !== undefined) BLOCKS.set(first, block)
  return block
}

function telling(seen: readonly Seen[]): readonly Evidence[] {
  return seen.map((each) => each.evidence()).filter(({ isSilent }) => !isSilent)
}

function isShort({ length, cut }: Evidence): boolean {
  return length <= MAX_JOINED_LENGTH && !cut
}

function join(all: readonly Evidence[]): Evidence {
  const described = new Map<string, Set<string>>()
  for (const evidence of all) {
    for (const [key, values] of evidence.described) {
      const before = described.get(key)
      if (before === undefined) described.set(key, new Set(values))
      else for (const value of values) before.add(value)
    }
  }
  return {
    recorded: new Set(all.flatMap(({ recorded }) => [...recorded])),
    recordedText: texts(all.map(({ recordedText }) => recordedText)),
    numbers: [...new Set(all.flatMap(({ numbers }) => numbers))],
    moments: [...new Set(all.flatMap(({ moments }) => moments))],
    today: [...new Set(all.flatMap(({ today }) => today))],
    listed: new Set(all.flatMap(({ listed }) => [...listed])),
    memberText: texts(all.map(({ memberText }) => memberText)),
    foreignWords: once(() => all.map((evidence) => evidence.foreignWords()).join('')),
    names: new Set(all.flatMap(({ names }) => [...names])),
    described,
    isSilent: false,
    length: all.reduce((sum, { length }) => sum + length, 0),
    cut: false,
  }
}

/** As `phraseText` puts the texts of one answer together: no phrase reaches from one into the next. */
function texts(all: readonly string[]): string {
  return all.filter((text) => text !== '').join(' | ')
}
