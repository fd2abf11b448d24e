/** Something wrong with a file, where exactly, and what to do about it. */
export interface FileProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** Where in the document: `graph.nodes.reply.next`, `operations[2].id`; empty for the document as a whole. */
  readonly path: string
  /** What is wrong and how to put it right. */
  readonly message: string
}

/** Keys of maps and positions in lists, from the root of the document. */
export type Path = readonly (string | number)[]

/** What a check found, before its place in the text is known. */
export interface Finding {
  readonly path: Path
  /** Whether the key itself is wrong, and not its value. */
  readonly atKey?: boolean
  readonly message: string
}

/** Writes a path for people. */
export function writePath(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`
    if (!/^[\w.-]+$/u.test(segment)) return `${text}[${JSON.stringify(segment)}]`
    return text === '' ? segment : `${text}.${segment}`
  }, '')
}

/** One line as editors and terminals understand it: `file:line:column: path: message`. */
export function writeProblem({ file, line, column, path, message }: FileProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`
}
