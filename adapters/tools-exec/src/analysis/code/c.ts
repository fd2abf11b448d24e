import { type CodeReading, placesOf } from './reading.ts'
import { type Grammar, joinedStrings, quoted, tokensOf } from './token.ts'

/** Headers of C and C++ with which a program computes, prints and opens files by name. */
const HEADERS = new Set(
  `stdio.h stdlib.h string.h strings.h math.h stdint.h stdbool.h stddef.h stdarg.h ctype.h assert.h limits.h float.h time.h errno.h inttypes.h complex.h locale.h
   wchar.h wctype.h iso646.h stdalign.h tgmath.h fenv.h iostream fstream sstream iomanip string vector map set unordered_map unordered_set algorithm numeric utility
   memory array deque list queue stack tuple optional variant functional chrono random cmath cstdio cstdlib cstring cstdint cassert climits cctype ctime limits
   stdexcept exception type_traits concepts ranges iterator bitset regex span string_view any initializer_list complex ratio numbers bit compare format`.split(
    /\s+/,
  ),
)

/** Functions that start programs, talk to others, ask the kernel directly, load code, or make memory run. */
const NAMES =
  /^(?:system|popen|exec\w*|posix_spawn\w*|v?fork|clone\d?|syscall|socket\w*|connect|bind|listen|accept\d?|send\w*|recv\w*|getaddrinfo|gethost\w*|dl\w+|mmap\d*|mremap|mprotect|memfd_\w+|ptrace|process_vm_\w+|io_uring\w*|kill|asm|__\w*asm\w*__|__asm|__attribute__|_Pragma|_start|environ|getenv|secure_getenv|putenv|sym\w*link\w*|link\w*|readlink\w*|mknod\w*|mkfifo\w*|mount|umount\d?|setns|unshare|chroot|open\w*|creat|__\w*open\w*|constructor|section|filesystem|__builtin_\w+|__libc\w*|_IO_\w+)$/

/**
 * Reads C and C++. Null when it does, or may do, more than compute and work on files by names that stand in it: any header but the plain ones, functions that reach
 * further, assembly, names that are glued together.
 */
export function readC(source: string): CodeReading | null {
  if (/##|%:|\?\?|\bimport\b|\bmodule\b/.test(source)) return null
  const cut = tokensOf(source, C)
  if (cut === null) return null
  const lines = cut
    .map((token) => (token.kind === 'string' ? '""' : token.text))
    .join(' ')
    .split(' \n ')
  for (const line of lines) {
    const directive = /^\s*# ?(\w*) ?(.*)$/.exec(line.trim())
    if (directive === null) continue
    const [, name = '', rest = ''] = directive
    if (
      name === 'include'
        ? !(/^"" *$/.test(rest) || HEADERS.has(rest.replace(/ /g, '').replace(/^<|>$/g, '')))
        : !/^(?:define|undef|if|ifdef|ifndef|elif|else|endif)?$/.test(name)
    )
      return null
  }
  const tokens = joinedStrings(
    cut.filter(({ text }) => text !== '\n'),
    true,
  )
  if (tokens.some(({ kind, text }) => kind === 'word' && NAMES.test(text))) return null
  const text = tokens.map((token) => (token.kind === 'string' ? '""' : token.text)).join(' ')
  // The name of the file is built, and nobody knows which it is; or `main` is a list of numbers.
  if (
    /\b(?:fopen|freopen|remove|rename|tmpnam|ifstream|ofstream|fstream)\b(?! \( "")(?! >)/.test(
      text.replace(/ifstream (?=\w+ \( "")|ofstream (?=\w+ \( "")|fstream (?=\w+ \( "")/g, ''),
    )
  )
    return null
  if (/\bmain (?:\[|=)|\( ?\* ?\)|\( \* \w+ \)/.test(text)) return null
  return { writes: /\b(?:fopen|freopen|remove|rename|ofstream|fstream)\b/.test(text), places: placesOf(tokens, { turns: false }) }
}

const C: Grammar = {
  comment: (source, at) => {
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      return (end === -1 ? source.length : end) - at
    }
    if (!source.startsWith('/*', at)) return 0
    const end = source.indexOf('*/', at + 2)
    return (end === -1 ? source.length : end + 2) - at
  },
  string: (source, at, tokens) => {
    const char = source.charAt(at)
    if (char !== '"' && char !== "'") return null
    // `R"(...)"` has rules of its own; `1'000` is a number.
    if (/[\w]/.test(source.charAt(at - 1))) return 'refused'
    const found = quoted(source, at + 1, { close: char, isRaw: false, mayBreak: false })
    if (found === null) return 'refused'
    if (char === '"') tokens.push({ kind: 'string', text: found.text })
    else tokens.push({ kind: 'number', text: '0' })
    return found.end
  },
}
