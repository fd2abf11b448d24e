/** What a source file imports, as it is written there. */
export interface Import {
  readonly specifier: string
  /** False for `import 'x'`, which is there for its side effects alone. */
  readonly binds: boolean
  /** True when only types are taken, which vanish before anything runs. */
  readonly typesOnly: boolean
}

const STATEMENT = /(?:^|[\n;}])\s*(import|export)\s(\s*type\b)?([^'"`;]*?\bfrom\s*)?(['"])([^'"\n]+)\4/g
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g

/** Every module that a source file names: statements, re-exports, dynamic imports and imports in types. */
export function importsOf(source: string): readonly Import[] {
  const code = withoutComments(source)
  const statements = [...code.matchAll(STATEMENT)]
    .filter(([, verb, , from]) => verb === 'import' || from !== undefined)
    .map(
      ([, , type, from, , specifier = '']): Import => ({ specifier, binds: from !== undefined, typesOnly: type !== undefined }),
    )
  const dynamic = [...code.matchAll(DYNAMIC)].map(
    ([, , specifier = '']): Import => ({ specifier, binds: true, typesOnly: false }),
  )
  return [...statements, ...dynamic]
}

/** After one of these a slash begins a regular expression and divides nothing. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else))\s*$/

/**
 * The code of a source file: comments, texts inside templates and regular expressions are blanked out, line breaks and plain
 * strings stay. Knows as much of the language as our own formatted sources use.
 */
export function withoutComments(source: string): string {
  let code = ''
  let at = 0
  const blank = (end: number): void => {
    code += source.slice(at, end).replace(/[^\n]/g, ' ')
    at = end
  }
  const until = (pattern: RegExp): number => {
    pattern.lastIndex = at + 1
    return pattern.exec(source) === null ? source.length : pattern.lastIndex
  }
  while (at < source.length) {
    const two = source.slice(at, at + 2)
    const one = source[at] ?? ''
    if (two === '//' || (two === '#!' && at === 0)) blank(until(/(?=\n)|$/g))
    else if (two === '/*') blank(until(/\*\//g))
    else if (one === '/' && BEFORE_REGEX.test(code.slice(-40))) blank(until(/(?:\[(?:\\.|[^\]\\\n])*\]|\\.|[^/\\[\n])*\/|\n/g))
    else if (one === '`') blank(until(/(?:\\[\s\S]|[^`\\])*`/g))
    else if (one === '"' || one === "'") {
      const end = until(one === '"' ? /(?:\\.|[^"\\\n])*"|\n/g : /(?:\\.|[^'\\\n])*'|\n/g)
      code += source.slice(at, end)
      at = end
    } else {
      code += one
      at += 1
    }
  }
  return code
}
