import { type CodeReading, placesOf } from './reading.ts'
import { type Grammar, joinedStrings, quoted, type Token, tokensOf } from './token.ts'

/** Packages of Go with which a program computes, prints and opens files by name. */
const GO_PACKAGES =
  /^(?:fmt|strings|strconv|sort|math(?:\/(?:rand(?:\/v2)?|big|bits|cmplx))?|errors|time|bufio|bytes|io|os|flag|log|sync(?:\/atomic)?|context|regexp|unicode(?:\/utf8)?|path(?:\/filepath)?|encoding\/(?:json|csv|xml)|container\/(?:heap|list|ring)|slices|maps|cmp|iter|testing|runtime|text\/(?:template|tabwriter)|hash(?:\/\w+)?|crypto\/(?:sha256|sha1|md5|sha512))$/

const GO_NAMES =
  /^(?:StartProcess|FindProcess|Symlink|Link|Readlink|Setenv|Getenv|LookupEnv|Environ|RemoveAll|SetFinalizer|Stdin|Chdir|Chroot|PathSeparator|Clearenv|DirFS|CopyFS|OpenRoot)$/

/** Classes and members of Java that start programs, talk to others, load code, or look members up by name. */
const JAVA_NAMES =
  /^(?:Runtime|Process\w*|net|Socket\w*|ServerSocket|URL\w*|URI|Http\w*|InetAddress|Datagram\w*|channels|rmi|jndi|naming|sql|Class|ClassLoader|\w*ClassLoader|forName|getClass|reflect|invoke\w*|Method\w*|Field|Constructor|Proxy|Unsafe|native|System\w*Load\w*|load|loadLibrary|loadLibraryx|script|ScriptEngine\w*|javax|sun|jdk|com|lang|foreign|Linker|ServiceLoader|ObjectInputStream|readObject|getenv|getProperty|Base64|HexFormat|fromCharCode|Instrumentation|attach|Scanner|createSymbolicLink|createLink|fromValue)$/

/** What of Rust starts programs, talks to others, is not checked, or includes other files. */
const RUST_NAMES =
  /^(?:process|Command|net|TcpStream|TcpListener|Udp\w*|Unix\w*|os|ffi|unsafe|extern|libc|nix|asm|global_asm|include|include_str|include_bytes|env|option_env|proc_macro|symlink|hard_link|remove_dir_all|stdin|from_utf8|from_utf8_unchecked|from_u32|from_digit|char|link|no_mangle|no_main|path|reqwest|tokio|hyper)$/

/** Reads Go of which every package is a plain one. */
export function readGo(source: string): CodeReading | null {
  // Directives run programs and link others; they are written as comments.
  if (/\/\/\s*(?:go:|export|#cgo|\+build)|\/\*/.test(source)) return null
  const tokens = cut(source, GO)
  if (tokens === null || tokens.some(({ kind, text }) => kind === 'word' && GO_NAMES.test(text))) return null
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== 'word' || text !== 'import') continue
    const end = tokens.findIndex(
      (token, at) => at > index && token.kind === 'word' && /^(?:func|var|type|const|import)$/.test(token.text),
    )
    const names = tokens.slice(index, end === -1 ? undefined : end).filter((token) => token.kind === 'string')
    if (names.length === 0 || !names.every((name) => GO_PACKAGES.test(name.text))) return null
  }
  // A conversion of numbers to a text spells anything.
  const text = plain(tokens)
  if (/\b(?:byte|rune) (?:\) )?\{|\bstring \( (?:\[|\d)|\bSprintf \( ""/.test(text) && /\bos \. \w+ \( (?!"")/.test(text))
    return null
  if (/\bos \. (?:Open\w*|Create|ReadFile|WriteFile|ReadDir|Remove|Rename|Mkdir\w*|Stat|Lstat) \( (?!"")/.test(text)) return null
  return {
    writes: /\bos \. (?:Create|WriteFile|OpenFile|Remove|Rename|Mkdir\w*)\b/.test(text),
    places: placesOf(tokens, { turns: false }),
  }
}

/** Reads Java that names none of what reaches further. */
export function readJava(source: string): CodeReading | null {
  const tokens = cut(source, C_LIKE)
  if (tokens === null || tokens.some(({ kind, text }) => kind === 'word' && JAVA_NAMES.test(text))) return null
  const text = plain(tokens)
  if (/\b(?:File\w*|Path|Paths|RandomAccessFile|PrintWriter|of|get) \( (?!""|\)|\d)[^)]{0,80}\b(?:read|in|args)\b/.test(text))
    return null
  if (/\( char \)|\bchar \[|\bbyte \[/.test(text) && /\b(?:File\w*|Files|Path|Paths)\b/.test(text)) return null
  return {
    writes: /\b(?:write\w*|FileWriter|FileOutputStream|PrintWriter|delete\w*|move|copy|create\w*|RandomAccessFile)\b/.test(text),
    places: placesOf(tokens, { turns: /\breverse\b/.test(text) }),
  }
}

/** Reads Rust that names none of what reaches further. */
export function readRust(source: string): CodeReading | null {
  const tokens = cut(source, RUST)
  if (tokens === null || tokens.some(({ kind, text }) => kind === 'word' && RUST_NAMES.test(text))) return null
  const text = plain(tokens)
  // The name of the file is built, and nobody knows which it is.
  if (/\b(?:fs : : \w+|File : : \w+|read_to_string|read_dir) \( (?!(?:& )?(?:""|mut ))/.test(text)) return null
  return {
    writes: /\b(?:write\w*|create\w*|remove\w*|rename|copy|OpenOptions)\b/.test(text),
    places: placesOf(tokens, { turns: /\brev\b/.test(text) }),
  }
}

function cut(source: string, grammar: Grammar): readonly Token[] | null {
  const tokens = tokensOf(source, grammar)
  return tokens === null
    ? null
    : joinedStrings(
        tokens.filter(({ text }) => text !== '\n'),
        false,
      )
}

function plain(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === 'string' ? '""' : token.text)).join(' ')
}

const comment: Grammar['comment'] = (source, at) => {
  if (source.startsWith('//', at)) {
    const end = source.indexOf('\n', at)
    return (end === -1 ? source.length : end) - at
  }
  if (!source.startsWith('/*', at)) return 0
  const end = source.indexOf('*/', at + 2)
  // In Rust comments nest, and in others they do not: one inside of another is not read.
  if (source.slice(at + 2, end === -1 ? undefined : end).includes('/*')) return 0
  return (end === -1 ? source.length : end + 2) - at
}

const C_LIKE: Grammar = {
  comment,
  string: (source, at, tokens) => {
    const char = source.charAt(at)
    if (char !== '"' && char !== "'") return null
    if (source.startsWith('"""', at)) return 'refused'
    const found = quoted(source, at + 1, { close: char, isRaw: false, mayBreak: false })
    if (found === null) return 'refused'
    tokens.push(char === '"' ? { kind: 'string', text: found.text } : { kind: 'number', text: '0' })
    return found.end
  },
}

const GO: Grammar = {
  comment,
  string: (source, at, tokens) => {
    if (source.charAt(at) !== '`') return C_LIKE.string(source, at, tokens)
    const end = source.indexOf('`', at + 1)
    if (end === -1) return 'refused'
    tokens.push({ kind: 'string', text: source.slice(at + 1, end) })
    return end + 1
  },
}

const RUST: Grammar = {
  comment,
  string: (source, at, tokens) => {
    // `'a` is a lifetime, `'a'` a letter; `r"..."` has no escapes, and `r#"..."#` is not read.
    if (/^'[a-z_]\w*(?!')/.test(source.slice(at, at + 40)) && source.charAt(at + 2) !== "'") return at + 1
    if (/^b?r[#"]/.test(source.slice(at, at + 3)) && !/\w/.test(source.charAt(at - 1))) return 'refused'
    return C_LIKE.string(source, at, tokens)
  },
}
