import { type CodeReading, placesOf } from './reading.ts'
import { type Grammar, quoted, tokensOf } from './token.ts'

const RUBY = new Set(
  `puts print p pp require json csv yaml date time set JSON parse generate pretty_generate File read readlines exist basename extname foreach keys values each map select
   reject sort sort_by uniq sum size length count first last join split to_s to_i to_f to_sym strip inspect min max round zip flatten group_by each_with_index if else elsif
   unless end do nil true false and or not RUBY_VERSION RUBY_PLATFORM Date today Time now x y k v i n row line data d h a s in for then merge sub gsub upcase downcase`.split(
    /\s+/,
  ),
)

const PHP = new Set(
  `echo print print_r var_dump json_decode json_encode file_get_contents count sizeof array_keys array_values array_sum array_unique sort ksort implode explode strlen trim
   strtoupper strtolower substr str_replace round max min date time true false null PHP_VERSION PHP_OS PHP_EOL JSON_PRETTY_PRINT foreach as if else for phpversion in_array
   is_array number_format printf sprintf x y k v i n row line data d a s`.split(/\s+/),
)

/** Reads Ruby of which every word is listed: it prints, computes and reads files by name. */
export function readRuby(source: string): CodeReading | null {
  return readListed(source, RUBY)
}

/** Reads PHP of which every word is listed: it prints, computes and reads files by name. */
export function readPhp(source: string): CodeReading | null {
  return readListed(source, PHP)
}

/** In these languages nearly everything starts a program in one of its forms, so only what is listed whole is read. */
function readListed(source: string, words: ReadonlySet<string>): CodeReading | null {
  const tokens = tokensOf(source, GRAMMAR)
  if (tokens === null) return null
  for (const { kind, text } of tokens) {
    if (kind === 'word' && !words.has(text.replace(/^\$/, ''))) return null
    // An address is fetched by what reads files, and a text after a pipe sign is run.
    if (kind === 'string' && (/:\/\//.test(text) || /^\s*\|/.test(text))) return null
  }
  // `$f('...')` and `send` by another name: what is called stands there as a word.
  const text = tokens.map((token) => (token.kind === 'string' ? "''" : token.text)).join(' ')
  if (/\$\w+ \(|[)\]'] \(|% [a-z]? ?[[({<|!]|& :|\$ \{|< </.test(text)) return null
  return { writes: false, places: placesOf(tokens, { turns: false }) }
}

const GRAMMAR: Grammar = {
  comment: () => 0,
  string: (source, at, tokens) => {
    const char = source.charAt(at)
    // Backticks run what stands between them, and comments could hide where a text ends.
    if (/[`#@]/.test(char)) return 'refused'
    if (char !== "'" && char !== '"') return null
    const found = quoted(source, at + 1, { close: char, isRaw: false, mayBreak: false })
    if (found === null || /#[{$@]|\$\{|\{\$/.test(found.text)) return 'refused'
    tokens.push({ kind: 'string', text: found.text })
    return found.end
  },
}
