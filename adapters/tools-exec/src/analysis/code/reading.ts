import type { Token } from './token.ts'

/** What program text was found to work on. */
export interface CodeReading {
  /** Texts in it that may name places, as they stand there. */
  readonly places: readonly string[]
  readonly writes: boolean
}

/** The top folders of a machine: a text that begins with one of them is a place, wherever it stands. */
const TOP = /^\/(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|snap|srv|sys|tmp|usr|var)(?:\/|$)/

/** The same without the slash in front, which is easily made: no project has such folders of its own. */
const BARE_TOP = /^(?:boot|etc|home|media|mnt|opt|proc|root|run|sbin|srv|sys|usr|var)\//

/** Members that take a text apart, put one together, or compare: their `'/'` is a mark, and no folder. */
const TAKES_APART =
  /^(?:split|rsplit|partition|rpartition|strip|lstrip|rstrip|replace|replaceAll|count|find|rfind|index|indexOf|lastIndexOf|join|startswith|startsWith|endswith|endsWith|includes|sub)$/

/**
 * The texts of a program that may be places. `turns`: it turns texts round, so that they count from behind as well. A text that goes on from a value is relative to that,
 * unless it begins with a folder of the machine.
 */
export function placesOf(tokens: readonly Token[], { turns }: { readonly turns: boolean }): readonly string[] {
  const builds = tokens.some(({ kind, text }) => kind === 'string' && text === '')
  const places: string[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'string' || token.text.length > 4_096) continue
    const { text } = token
    const isArgument = tokens[index - 1]?.text === '(' && TAKES_APART.test(tokens[index - 2]?.text ?? '')
    // `'/'.join(['', 'etc'])` makes a place from the top.
    const isJoiner = tokens[index + 1]?.text === '.' && tokens[index + 2]?.text === 'join' && !builds
    if (/^\/?$/.test(text) && (isArgument || isJoiner || text === '')) continue
    for (const each of turns ? [text, [...text].toReversed().join('')] : [text]) {
      if (/^(?!file:)\w[\w+.-]*:\/\//.test(each) || /\n/.test(each.trim())) continue
      const place = each.replace(/^file:(?:\/\/)?\/?/, '/')
      if (BARE_TOP.test(place)) places.push(`/${place}`)
      places.push(token.continues === true && !TOP.test(place) ? place.replace(/^\/+/, '') : place)
    }
  }
  return places.filter((place) => place !== '')
}

/** A letter is taken out of a text that stands there, or of the name of a place that is not known yet: `'a/b'[1]`, `getcwd()[0]`. So a slash is made of nothing. */
export function takesLetters(text: string): boolean {
  if (
    /'' \[ |'' \. (?:strip|lstrip|rstrip|replace|replaceAll|charAt|slice|substring|substr|at|partition) \(|\bmin \( ''|\bmax \( ''/.test(
      text,
    )
  )
    return true
  const isPlace =
    /\b(?:getcwd|getcwdb|cwd|abspath|realpath|resolve|__file__|executable|prefix|base_prefix|exec_prefix|gettempdir|__dirname|__filename|execPath|homedir|tmpdir|anchor|pathname)\b/
  return isPlace.test(text) && /\[ (?:0|:)|\. root\b|\b(?:slice|charAt|substring|substr|at|startswith) \(/.test(text)
}
