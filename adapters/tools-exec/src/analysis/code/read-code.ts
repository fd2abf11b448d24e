import type { Language } from '../program.ts'
import { readC } from './c.ts'
import { readJavaScript } from './javascript.ts'
import { readGo, readJava, readRust } from './compiled.ts'
import { readPhp, readRuby } from './listed.ts'
import { readPython } from './python.ts'
import type { CodeReading } from './reading.ts'

const READERS: Readonly<Partial<Record<Language, (source: string) => CodeReading | null>>> = {
  python: readPython,
  javascript: readJavaScript,
  c: readC,
  go: readGo,
  java: readJava,
  rust: readRust,
  ruby: readRuby,
  php: readPhp,
}

/** Longer than what anybody hands over inline. */
const MAX_LENGTH = 16_384
/** So many texts of one program are looked at as places. */
const MAX_PLACES = 256

/**
 * Reads program text that is handed over inline, or that the same command wrote. Null when it is in no language that we read, or when it may do more than
 * compute and work on files by names that stand in it: then nobody has read it.
 *
 * A language in which everything can be computed cannot be read with certainty. So this counts only where a sandbox holds whatever the text does: there a script of the
 * workspace is run without a question as well, and nobody has read that at all.
 */
export function readCode(language: Language, source: string): CodeReading | null {
  if (source.length > MAX_LENGTH) return null
  const reading = READERS[language]?.(source) ?? null
  return reading === null || reading.places.length > MAX_PLACES ? null : reading
}

/** By the groups of the pattern below. */
const COMPILED: readonly (Language | null)[] = [null, 'c', 'go', 'java', 'rust', 'ruby', 'php']

/** The language of a file that was just written, by its first line or its name. Null when it is in none that we read. */
export function languageOf(path: string, source: string): Language | null {
  const [, shebang] = /^#!([^\n]*)/.exec(source) ?? []
  const by = shebang === undefined ? path.slice(path.lastIndexOf('/') + 1) : ` ${shebang} `
  if (shebang === undefined ? /\.(?:ba|da|z|k)?sh$/.test(by) : /[/ ](?:ba|da|z|k)?sh /.test(by)) return 'shell'
  if (shebang === undefined ? /\.py$/.test(by) : /[/ ]python[\d.]* /.test(by)) return 'python'
  const compiled = shebang === undefined ? /\.(?:(c|cc|cpp|cxx|h|hh|hpp)|(go)|(java)|(rs)|(rb)|(php))$/.exec(by) : null
  if (compiled !== null) return COMPILED[compiled.findIndex((found, index) => index > 0 && found !== undefined)] ?? null
  return (shebang === undefined ? /\.[cm]?[jt]sx?$/ : /[/ ](?:node|nodejs|tsx) /).test(by) ? 'javascript' : null
}
