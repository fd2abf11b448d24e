import type { Language } from './program.ts'

/**
 * Says whether program text can do no more than change text: no other program, no other file, no network. Only what is recognised
 * whole is inert; everything else is for policy.
 */
export function isInert(language: Language, code: string): boolean {
  if (code.length > 4096) return false
  switch (language) {
    case 'sed':
      return isInertSed(code)
    case 'awk':
      return isInertAwk(code)
    case 'perl':
      return isInertPerl(code)
    case 'python':
      return onlyKnownWords(code, PYTHON)
    case 'javascript':
      // Computed members would reach everything: 'con' + 'structor'.
      return (
        onlyKnownWords(code, JAVASCRIPT) && !/\[(?!\s*\d+\s*\])|\.\.|require\s*\(\s*(?!['"]\.\/|['"]\w+\.json['"])/.test(code)
      )
    case 'gdb':
      return /^(?:bt|where|backtrace|info [\w -]+|thread [\w -]+|frame \d*|list|run|quit|continue|disassemble|x\/\w+ \$\w+|set (?:pagination|confirm) off)(?: full)?$/.test(
        code,
      )
    case 'sql':
      return isInertSql(code)
    case 'ed':
      return isInertEd(code)
    case 'vim':
      return /^(?::?(?:q|wq|x|w|qa|wqa|set \w+|\d+|\$|%?s\/[\w .-]*\/[\w .-]*\/[ge]*)!?)$/.test(code)
    default:
      return false
  }
}

/** Commands of sed that only edit: no `e`, `w`, `r`, `W`, `R`, `F`, and no such flag on `s`. */
function isInertSed(code: string): boolean {
  let at = 0
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const match = pattern.exec(code)
    if (match === null) return false
    at = pattern.lastIndex
    return true
  }
  /** Goes past text up to an unescaped delimiter. */
  const delimited = (delimiter: string): boolean => {
    for (; at < code.length; at++) {
      const char = code.charAt(at)
      if (char === '\\') at++
      else if (char === delimiter) {
        at++
        return true
      }
    }
    return false
  }
  const address = (): boolean => {
    if (skip(/\d+(?:~\d+)?|\$/y)) return true
    if (skip(/\//y)) return delimited('/') && skip(/[IM]*/y)
    return false
  }
  while (at < code.length) {
    skip(/[\s;{}]+/y)
    if (at >= code.length) break
    if (address()) {
      skip(/\s+/y)
      if (skip(/,\s*/y) && !skip(/[+~]\d+/y) && !address()) return false
      skip(/[\s!]+/y)
    }
    if (skip(/[{}]/y)) continue
    if (skip(/[dDpPgGhHnNxz=l]|[qQ]\d*/y)) continue
    if (skip(/[aic]\\?[^\n]*(?:\n|$)/y)) continue
    if (skip(/[bt:]\s*\w*/y)) continue
    if (skip(/[sy]/y)) {
      const delimiter = code.charAt(at++)
      if (delimiter === '' || /[\w\s\\]/.test(delimiter)) return false
      if (!delimited(delimiter) || !delimited(delimiter)) return false
      if (!skip(/[gpiIM\d]*(?=[\s;}]|$)/y)) return false
      continue
    }
    return false
  }
  return true
}

/** Commands of ed that edit the one file: no `!`, no other file. What stands after `a`, `c` or `i` up to a dot is text. */
function isInertEd(code: string): boolean {
  let isText = false
  return code.split('\n').every((line) => {
    if (isText) {
      isText = line !== '.'
      return true
    }
    const match =
      /^(?:[,%;]|(?:\d+|[.$]|\/[^/\\]{0,200}\/)?(?:,(?:\d+|[.$]|\/[^/\\]{0,200}\/))?)(?:([aci])|[dpnlj=wqQHP]|wq|s\/[^/\\]{0,200}\/[^/\\]{0,200}\/[gp\d]*)?$/.exec(
        line,
      )
    isText = match?.[1] !== undefined
    return match !== null
  })
}

/** awk without pipes, other files and other programs. */
function isInertAwk(code: string): boolean {
  if (/\b(?:system|getline|close|fflush|ARGV|ARGC|ENVIRON|PROCINFO|SYMTAB|FUNCTAB)\b|@|\/inet|\|&/.test(code)) return false
  if (/\|\s*"|\bprintf?\b[^{};\n]*(?:[^|]\|(?!\|)|>)/.test(code)) return false
  return !/\\(?:x|[0-7])/.test(code)
}

/** SQL without commands of the tool, other files and extensions. */
function isInertSql(code: string): boolean {
  if (
    /\b(?:readfile|writefile|load_extension|edit|attach|vacuum|pragma|fsdir|read_\w+|copy|install|load|export|import)\b/i.test(
      code,
    )
  )
    return false
  return code
    .split('\n')
    .every(
      (line) =>
        !/^\s*\./.test(line) || /^\s*\.(?:tables|schema|headers? \w+|mode \w+|databases|indexes|quit|exit)\b[\w\s]*$/.test(line),
    )
}

/** Perl that only substitutes, as with `-pe`. */
function isInertPerl(code: string): boolean {
  if (
    /^\s*print(?:\s+(?:if|unless)\s+(?:\/(?:[^/\\@$`({]|\\.|\((?!\?)|\$(?=\/)|\{\d)*\/i?|\$\.\s*[<>=]+\s*\d+))?\s*;?\s*$/.test(
      code,
    )
  )
    return true
  if (/^\s*print\s+(?:\$F\[-?\d+\]|\$[_.\d]|"(?:[^"\\@$`]|\$F\[\d+\]|\\[nt])*"|[,.\s])+;?\s*$/.test(code)) return true
  return /^\s*(?:s([/|#,!])(?:(?!\1)[^\\@$`({]|\\.|\((?!\?)|\{\d)*\1(?:(?!\1)[^\\@$`{]|\\.|\$\d)*\1[gimsx]*\s*;?\s*)+$/.test(code)
}

interface Words {
  readonly strings: RegExp
  readonly words: ReadonlySet<string>
}

const PYTHON: Words = {
  strings: /(?<![\w])(?:r|b|rb)?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g,
  words: new Set(
    `import json sys print load loads dumps stdin len for in sorted set list dict str int float range sum min max if else not and or is None
     True False version version_info platform executable indent keys values items get join split strip lower upper enumerate zip round
     abs math sqrt pi datetime date today isoformat time as from x y k v i d data row line n s r`.split(/\s+/),
  ),
}

const JAVASCRIPT: Words = {
  strings: /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g,
  words: new Set(
    `console log require JSON stringify parse process version versions platform arch memoryUsage Object keys values entries length Math max
     min round floor map filter join sort slice name scripts dependencies devDependencies main engines const let of for true false null x
     p d i n Date now toISOString new v8 node exports license description workspaces`.split(/\s+/),
  ),
}

/** Nothing but listed words, plain strings, numbers and operators. Subscripts take numbers and strings that name no member of a language. */
function onlyKnownWords(code: string, { strings, words }: Words): boolean {
  const literals = code.match(strings) ?? []
  if (
    literals.some((literal) => /__|constructor|prototype|mainModule|binding|\\/.test(literal.slice(1, -1).replace(/\\[nt]/g, '')))
  )
    return false
  const rest = code.replace(strings, ' 0 ')
  if (/['"`\\@#]|__/.test(rest)) return false
  return (rest.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []).every((word) => words.has(word))
}
