import { type CodeReading, placesOf, takesLetters } from './reading.ts'
import { type Grammar, joinedStrings, quoted, type Token, tokensOf } from './token.ts'

/** Modules that start programs, talk to others, or load code in another way. */
const MODULES = new Set(
  `child_process net tls http https http2 dgram dns dns/promises cluster worker_threads vm module inspector inspector/promises repl wasi sea trace_events diagnostics_channel
   sqlite tty process axios node-fetch got undici ws ssh2 request superagent needle ky puppeteer playwright selenium-webdriver execa shelljs zx cross-spawn node-pty
   nodemailer ioredis redis pg mysql mysql2 mongodb mongoose socket.io-client bun bun:ffi bun:sqlite ffi-napi jsdom`.split(/\s+/),
)

/** Names that run text as code, talk to others, reach into the interpreter, or spell text by numbers. */
const NAMES = new Set(
  `eval Function GeneratorFunction AsyncFunction fetch WebSocket EventSource XMLHttpRequest WebAssembly Worker SharedWorker Bun Deno globalThis global window self Reflect Proxy
   constructor prototype __proto__ __defineGetter__ __lookupGetter__ getPrototypeOf setPrototypeOf getOwnPropertyDescriptor getOwnPropertyDescriptors mainModule binding
   _linkedBinding dlopen getBuiltinModule createRequire importScripts _load _compile _extensions fromCharCode fromCodePoint atob unescape decodeURIComponent decodeURI
   symlink symlinkSync link linkSync TextDecoder arguments caller callee setuid setgid chdir kill reallyExit dlsym sep`.split(
    /\s+/,
  ),
)

const PROCESS =
  /^(?:argv|env|stdin|stdout|stderr|cwd|exit|exitCode|version|versions|platform|arch|memoryUsage|hrtime|uptime|nextTick|on|once|pid|title|release|features|emitWarning)$/

const WRITING =
  /^(?:write\w*|append\w*|mkdir\w*|rename\w*|rm|rmSync|rmdir\w*|unlink\w*|copyFile\w*|cp|cpSync|truncate\w*|chmod\w*|createWriteStream|open|openSync|utimes\w*|output\w*|ensure\w*|save\w*)$/

/** After these a slash begins a pattern; after other words it divides. */
const BEFORE_PATTERN = /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield|instanceof)$/

/**
 * Reads JavaScript, and TypeScript that is only annotated. Null when it does, or may do, more than compute and work on files. Packages and files that it
 * loads are code of the project, as for `node script.js`.
 */
export function readJavaScript(source: string): CodeReading | null {
  if (/<!--|-->/.test(source)) return null
  const cut = tokensOf(source, JAVASCRIPT)
  if (cut === null) return null
  const tokens = joinedStrings(
    cut.filter(({ text }) => text !== '\n'),
    false,
  )
  if (!tokens.every((token, index) => token.kind !== 'word' || isPlainWord(token.text, tokens, index))) return null
  const text = tokens.map((token) => (token.kind === 'string' ? "''" : token.text)).join(' ')
  // Members by names that are built, called: `[][a + b]('...')`; and what a call returns, called with a text.
  if (/\] (?:\? \. )?\(|\) \( ''|\[ [^\][]{0,200}'' \+|\[ [^\][]{0,200}\+ ''|\bwith \(/.test(text)) return null
  const strings = tokens.filter(({ kind }) => kind === 'string').map((token) => token.text)
  if (
    strings.some(
      (each) =>
        /^(?:constructor|__proto__|prototype|mainModule|binding|hex|base64|base64url|latin1|binary|utf16le|ucs2)$/.test(each) &&
        !isDigest(text),
    )
  )
    return null
  if (/\b(?:rm|rmSync|rmdir|rmdirSync) \(/.test(text) && /\brecursive\b/.test(text)) return null
  // The name of the file comes from outside, and nobody knows which it is.
  if (
    /\b(?:stdin|env)\b/.test(text) &&
    /\b(?:readFile|readFileSync|open|openSync|readdir|readdirSync|createReadStream|writeFile|writeFileSync|appendFile|appendFileSync|unlink|unlinkSync|rename|renameSync) \( (?!''|0 )/.test(
      text,
    )
  )
    return null
  if (takesLetters(text) || hidesCode(strings)) return null
  return {
    writes: tokens.some(({ kind, text: word }) => kind === 'word' && WRITING.test(word)),
    places: placesOf(tokens, { turns: /\b(?:reverse|toReversed|reduceRight)\b/.test(text) }),
  }
}

/** A text that is a program, or pieces that make the name of what runs one, from either end. */
function hidesCode(strings: readonly string[]): boolean {
  const all = strings.join('')
  const pieces = `${all} ${[...all].toReversed().join('')}`
  if (/constructor|__proto__|mainModule|getBuiltin/.test(pieces)) return true
  return strings.some((each) => /\b(?:require|import|eval|Function|fetch)\s*\(|\bprocess\.|\breturn\s+\S/.test(each))
}

/** `digest('hex')` makes a text of numbers, and none of them is a name. */
function isDigest(text: string): boolean {
  return /\b(?:digest|randomBytes)\b/.test(text) && !/\bfrom \( /.test(text)
}

function isPlainWord(word: string, tokens: readonly Token[], index: number): boolean {
  const next = tokens[index + 1]
  const before = tokens[index - 1]
  if (NAMES.has(word)) return false
  if (word === 'process')
    return before?.text === '.' || isKey(tokens, index) || (next?.text === '.' && PROCESS.test(tokens[index + 2]?.text ?? ''))
  if (word === 'require') {
    const name = tokens[index + 2]
    if (next?.text === '.' && name?.text === 'main') return tokens[index + 3]?.text === '=' // `require.main === module`
    return next?.text === '(' && name?.kind === 'string' && tokens[index + 3]?.text === ')' && isPlainModule(name.text)
  }
  if (word === 'module') return next?.text !== '[' && !(next?.text === '.' && tokens[index + 2]?.text !== 'exports')
  if (word === 'import') return isPlainImport(tokens, index)
  // `export * from 'net'`
  if (word === 'from' && next?.kind === 'string') return isPlainModule(next.text)
  return true
}

function isKey(tokens: readonly Token[], index: number): boolean {
  return tokens[index + 1]?.text === ':' && /^[{,]$/.test(tokens[index - 1]?.text ?? '')
}

function isPlainImport(tokens: readonly Token[], index: number): boolean {
  const next = tokens[index + 1]
  if (next?.text === '.') return tokens[index + 2]?.text === 'meta'
  if (next?.text === '(')
    return tokens[index + 2]?.kind === 'string' && tokens[index + 3]?.text === ')' && isPlainModule(tokens[index + 2]?.text ?? '')
  if (next?.kind === 'string') return isPlainModule(next.text)
  const from = tokens.slice(index, index + 200).findIndex(({ kind, text }) => kind === 'word' && text === 'from')
  return from !== -1 && tokens[index + from + 1]?.kind === 'string'
}

function isPlainModule(name: string): boolean {
  const plain = name.replace(/^node:/, '')
  return !MODULES.has(plain) && !/^(?:data|https?|blob|file):|^_/.test(name)
}

const JAVASCRIPT: Grammar = {
  comment: (source, at) => {
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      return (end === -1 ? source.length : end) - at
    }
    if (!source.startsWith('/*', at))
      return at === 0 && source.startsWith('#!') ? Math.max(source.indexOf('\n'), 0) || source.length : 0
    const end = source.indexOf('*/', at + 2)
    return (end === -1 ? source.length : end + 2) - at
  },
  string: (source, at, tokens) => {
    const char = source.charAt(at)
    if (char === "'" || char === '"') {
      const found = quoted(source, at + 1, { close: char, isRaw: false, mayBreak: false })
      if (found === null) return 'refused'
      tokens.push({ kind: 'string', text: found.text })
      return found.end
    }
    if (char === '`') return template(source, at, tokens)
    return char === '/' ? pattern(source, at, tokens) : null
  },
}

/** A pattern, or a division. Where that depends on more than the word in front, the text is not read. */
function pattern(source: string, at: number, tokens: Token[]): number | 'refused' | null {
  const last = tokens.findLast(({ text }) => text !== '\n')
  if (last !== undefined && /^(?:number|string|pattern)$/.test(last.kind)) return null
  if (last?.kind === 'word' && !BEFORE_PATTERN.test(last.text)) return null
  if (last?.text === ']') return null
  const rest = source.slice(at + 1, source.indexOf('\n', at) === -1 ? undefined : source.indexOf('\n', at))
  if (last !== undefined && /^[)}]$/.test(last.text)) return /['"`/]/.test(rest) ? 'refused' : null
  if (last !== undefined && /^[+-]$/.test(last.text)) return 'refused'
  const match = /^(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(rest)
  if (match === null) return 'refused'
  tokens.push({ kind: 'pattern', text: 'pattern' })
  return at + 1 + match[0].length
}

/** A template: its texts, and between them program text. */
function template(source: string, from: number, tokens: Token[]): number | 'refused' {
  let text = ''
  let isFirst = true
  const push = () => {
    tokens.push({ kind: 'string', text, ...(isFirst ? {} : { continues: true }) })
    text = ''
    isFirst = false
  }
  for (let at = from + 1; at < source.length; at++) {
    const char = source.charAt(at)
    if (char === '`') {
      push()
      return at + 1
    }
    if (char === '\\') {
      const escaped = quoted(`${source.slice(at, at + 2)}\``, 0, { close: '`', isRaw: false, mayBreak: true })
      if (escaped === null) return 'refused'
      text += escaped.text
      at++
    } else if (source.startsWith('${', at)) {
      // Braces and quotes inside of the value would have to be counted: only plain values are read.
      const value = /^\$\{([^{}`]*)\}/.exec(source.slice(at, at + 1_000))
      const inner = value === null ? null : tokensOf(value[1] ?? '', JAVASCRIPT)
      if (value === null || inner === null) return 'refused'
      push()
      tokens.push({ kind: 'mark', text: '(' }, ...inner, { kind: 'mark', text: ')' })
      at += value[0].length - 1
    } else text += char
  }
  return 'refused'
}
