import { type CodeReading, placesOf, takesLetters } from './reading.ts'
import { type Grammar, joinedStrings, quoted, type Token, tokensOf } from './token.ts'

/** Modules of Python itself that start programs, talk to others, load code, or open what the interpreter is made of. */
const MODULES = new Set(
  `asyncio asyncore asynchat ftplib http imaplib nntplib poplib smtplib smtpd socket socketserver ssl telnetlib urllib xmlrpc webbrowser wsgiref
   cgi cgitb subprocess multiprocessing pty tty posix nt ctypes importlib imp runpy code codeop codecs pickle pickletools shelve marshal dbm zipimport
   pkgutil site sitecustomize usercustomize ensurepip venv distutils setuptools pip idlelib pdb bdb cProfile profile trace timeit faulthandler
   signal resource fcntl mmap syslog crypt spwd pwd grp nis curses readline rlcompleter turtle tkinter antigravity gc inspect builtins select selectors
   termios msvcrt winreg mailbox mailcap doctest pydoc zipapp torch compileall py_compile pyclbr sched modulefinder logging.handlers logging.config tracemalloc threading _thread
   requests httpx aiohttp urllib3 httplib2 pycurl websocket websockets paramiko fabric boto3 botocore grpc redis pymongo psycopg psycopg2 pymysql MySQLdb
   asyncpg kafka pika zmq twisted tornado gevent eventlet scapy dns nmap selenium playwright sh plumbum pexpect invoke docker kubernetes google azure
   openai anthropic huggingface_hub cffi cloudpickle dill joblib numba nox ptyprocess psutil stem telethon discord slack_sdk smbclient ldap3`.split(
    /\s+/,
  ),
)

/** Names that run text as code, look things up by a name that is built, start or stop programs, or spell text by numbers. */
const NAMES = new Set(
  `eval exec compile __import__ getattr setattr delattr globals locals vars breakpoint memoryview system popen popen2 popen3 popen4 startfile execl execle execlp
   execlpe execv execve execvp execvpe spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp fork forkpty openpty
   killpg memfd_create pidfd_open setns unshare chroot mknod mkfifo symlink symlink_to hardlink_to link_to readlink setuid setgid mount umount
   add_dll_directory sendfile putenv unsetenv modules meta_path path_hooks settrace setprofile _getframe addaudithook f_globals f_builtins f_locals gi_frame
   tb_frame cr_frame func_globals co_code import_module load_module exec_module find_spec spec_from_file_location b64decode b32decode b16decode a85decode
   b85decode decodebytes unhexlify a2b_hex a2b_base64 fromhex chr bytearray translate maketrans unpack from_bytes to_bytes decompress rmtree sep pardir altsep
   curdir extsep read_pickle to_pickle HDFStore read_sql read_html read_clipboard urlopen urlretrieve Popen run_module run_path attrgetter methodcaller
   get_field locate resolve_name punctuation printable anchor parents load_extension enable_load_extension allow_pickle unsafe_load unsafe_load_all UnsafeLoader SocketHandler DatagramHandler
   SysLogHandler HTTPHandler SMTPHandler dictConfig fileConfig CodeType FunctionType subprocess socket ctypes builtins posix pty`.split(
    /\s+/,
  ),
)

/** Names between two underscores that every script has. All others lead into the interpreter. */
const ORDINARY_DUNDER =
  /^__(?:name|main|file|init|str|repr|len|eq|ne|lt|le|gt|ge|hash|iter|next|enter|exit|getitem|setitem|contains|call|post_init|version|all|future|add|doc|author|slots)__$/

const WRITING =
  /^(?:write|writelines|write_text|write_bytes|mkdir|makedirs|rename|renames|unlink|remove|removedirs|rmdir|copy|copy2|copyfile|copytree|move|touch|truncate|chmod|extractall|extract|to_csv|to_json|to_excel|to_parquet|savefig|save|connect|dump|input|FileInput)$/
const WRITING_MODE = /^[rb+t]*[wax+][rwaxb+t]*$/

/**
 * Reads Python. Null when it does, or may do, more than compute and work on files: start programs, talk to others, run text as code, or spell names that nobody sees.
 * What it imports besides the modules of Python is code of the project or installed, as for `python script.py`.
 */
export function readPython(source: string): CodeReading | null {
  if (source.split('\n', 2).some((line) => /#.{0,80}coding[:=](?!\s*utf-?8\b)/i.test(line))) return null
  const cut = tokensOf(source, PYTHON)
  if (cut === null) return null
  const tokens = joinedStrings(cut, true)
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word') continue
    const { text } = token
    if (NAMES.has(text) || (/^__\w+__$/.test(text) && !ORDINARY_DUNDER.test(text)) || text.includes('$')) return null
    if ((text === 'import' || text === 'from') && !isKnownImport(tokens, index)) return null
    // `bytes([47, 115])` spells a text; `kill` and its kin are only meant when they are members.
    if (text === 'bytes' && tokens[index + 1]?.text === '(') return null
    if (/^(?:kill|link|pipe|dup2?)$/.test(text) && tokens[index - 1]?.text === '.') return null
  }
  const text = tokens.map((token) => (token.kind === 'string' ? "''" : token.text)).join(' ')
  if (takesLetters(text) || climbs(text, tokens)) return null
  // The name of the file comes from outside, and nobody knows which it is.
  if (
    /\b(?:stdin|environ|getenv)\b|\binput \(/.test(text) &&
    /\b(?:open|Path|listdir|walk|glob|read_csv|rename|remove|unlink) \( (?!''|\))/.test(text)
  )
    return null
  const strings = tokens.filter(({ kind }) => kind === 'string')
  if (strings.some((token) => /__\w+__/.test(token.text) && !/^__main__$|__(?:init|main|pycache)__/.test(token.text))) return null
  if (!canBeText(tokens, strings)) return null
  return {
    writes: tokens.some(({ kind, text: word }) =>
      kind === 'word' ? WRITING.test(word) : kind === 'string' && WRITING_MODE.test(word),
    ),
    places: placesOf(tokens, { turns: /: : - 1|\breversed\b/.test(text) }),
  }
}

/** It goes up by as many folders as it likes: `dirname(dirname(...))`, `'.' * 2`, or to a folder whose name is not there. */
function climbs(text: string, tokens: readonly Token[]): boolean {
  const ups = text.match(/\bdirname \(|\. parent\b/g)?.length ?? 0
  const isDotted = tokens.some(
    ({ kind, text: dots }, index) => kind === 'string' && /^\.+\/?$/.test(dots) && /^[*(]$/.test(tokens[index + 1]?.text ?? ''),
  )
  return ups > 1 || isDotted || /\bwhile\b[^\n]*\. parent\b/.test(text) || /\bchdir \( (?!'' \))/.test(text)
}

/** Modules of Python itself that take a text for a text, whatever it says. */
const PURE = new Set(
  `json re sys os math csv collections itertools functools datetime pathlib string statistics random textwrap io glob time typing dataclasses hashlib ast
   decimal fractions operator pprint argparse shutil tempfile html urllib copy heapq bisect enum types unicodedata difflib calendar zoneinfo uuid secrets
   contextlib abc sqlite3 configparser tomllib fnmatch locale struct logging traceback warnings platform`.split(/\s+/),
)

/** Other packages fetch what a text names: an address in it is one only when none of them is there. */
function canBeText(tokens: readonly Token[], strings: readonly Token[]): boolean {
  if (!strings.some((token) => /^\s*[a-z][a-z\d+.-]*:\/\//i.test(token.text))) return true
  const first = tokens.filter(
    (_, index) => /^(?:import|from)$/.test(tokens[index - 1]?.text ?? '') && !fromBefore(tokens, index - 1),
  )
  return !tokens.some(({ text }) => text === 'import') || first.every(({ text }) => PURE.has(text))
}

/** Looks at every module that an `import` names; what it cannot follow is not known. */
function isKnownImport(tokens: readonly Token[], at: number): boolean {
  const isFrom = tokens[at]?.text === 'from'
  // `raise X from error`, `yield from x`, and the second half of `from a import b`.
  const line = tokens.slice(at + 1, at + 200)
  const end = line.findIndex(({ text }) => text === '\n' || text === ';' || (isFrom && text === 'import'))
  const words = line.slice(0, end === -1 ? undefined : end)
  if (isFrom && line[end]?.text !== 'import') return true
  if (!isFrom && fromBefore(tokens, at)) return true
  const names = words
    .map(({ text }) => text)
    .join(' ')
    .split(/ , | as /)
  return names.every((name) => {
    const path = name.replace(/[ ()]/g, '')
    if (path === 'urllib.parse' || path === 'importlib.metadata') return true
    if (/^logging\b/.test(path)) return !MODULES.has(path)
    const [top = ''] = path.split('.')
    return !MODULES.has(top) && !/^_[a-z]/.test(top)
  })
}

function fromBefore(tokens: readonly Token[], at: number): boolean {
  for (let before = at - 1; before >= 0 && before > at - 40; before--) {
    const { text } = tokens[before] ?? { text: '' }
    if (text === 'from') return true
    if (text === '\n' || text === ';') return false
  }
  return false
}

const PYTHON: Grammar = {
  comment: (source, at) => {
    if (source.charAt(at) !== '#') return 0
    const end = source.indexOf('\n', at)
    return (end === -1 ? source.length : end) - at
  },
  string: (source, at, tokens) => {
    const opening = /(?<![\w.])([rRbBuUfF]{0,2})('''|"""|'|")/y
    opening.lastIndex = at
    const match = opening.exec(source)
    if (match === null) return /['"]/.test(source.charAt(at)) ? 'refused' : null
    const [whole, prefix = '', close = ''] = match
    const isRaw = /r/i.test(prefix)
    const found = quoted(source, at + whole.length, { close, isRaw, mayBreak: close.length === 3 })
    if (found === null || /%c|\{[^{}]*:[^{}]*c\}/.test(found.text)) return 'refused'
    if (!/f/i.test(prefix)) {
      tokens.push({ kind: 'string', text: found.text })
      return found.end
    }
    return pushFormatted(found.text, tokens) ? found.end : 'refused'
  },
}

/** `f'{name}/src'`: the values between braces are program text, and what follows one goes on from it. */
function pushFormatted(text: string, tokens: Token[]): boolean {
  let isFirst = true
  for (const part of text.split(/(\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})/)) {
    if (!part.startsWith('{') || part === '{{') {
      if (/[{}]/.test(part) && part !== '{{' && part !== '}}') return false
      if (part !== '') tokens.push({ kind: 'string', text: part, ...(isFirst ? {} : { continues: true }) })
      isFirst = isFirst && part === ''
      continue
    }
    isFirst = false
    if (!part.endsWith('}')) return false
    const inner = tokensOf(part.slice(1, -1), PYTHON)
    if (inner === null) return false
    tokens.push({ kind: 'mark', text: '(' }, ...inner, { kind: 'mark', text: ')' })
  }
  return true
}
