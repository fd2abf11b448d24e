import { CedarError, type CedarErrorCode } from '../error.ts'

/** Bytes of one JSON file, and how deep it may nest. */
export const MAX_JSON_BYTES = 32 * 1024 * 1024
export const MAX_JSON_DEPTH = 128

const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|[{}[\]:,]/g

/**
 * Reads JSON from outside with whole numbers exact: what is beyond 2^53 becomes a bigint.
 *
 * Refuses two keys of one name in an object, numbers that are not whole, more than {@link MAX_JSON_BYTES}, and nesting beyond
 * {@link MAX_JSON_DEPTH}, with the code that the caller names.
 *
 * @throws CedarError with that code; the message names the file.
 */
export function parseExactJson(text: string, file: string, code: CedarErrorCode): unknown {
  const refuse = (message: string, cause?: unknown) => new CedarError(code, `${file}: ${message}`, { cause })
  if (Buffer.byteLength(text) > MAX_JSON_BYTES) throw refuse(`a file may have ${MAX_JSON_BYTES} bytes at most`)
  const problem = problemOf(text)
  if (problem !== undefined) throw refuse(problem)
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number') return value
    const source = context?.source ?? String(value)
    if (!/^-?[0-9]+$/.test(source)) throw refuse(`${source.slice(0, 40)} is not a whole number`)
    return Number.isSafeInteger(value) ? value : BigInt(source)
  }
  try {
    return JSON.parse(text, exact)
  } catch (cause) {
    if (cause instanceof CedarError) throw cause
    throw refuse(`not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`, cause)
  }
}

/** What two readers could understand differently, or one could not survive. */
function problemOf(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let last: string | undefined
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (open.length >= MAX_JSON_DEPTH) return `nests deeper than ${MAX_JSON_DEPTH} levels`
      open.push(token === '{' ? new Set() : undefined)
    } else if (token === '}' || token === ']') open.pop()
    else if (token === ':' && last !== undefined) {
      const keys = open.at(-1)
      const key = unescaped(last)
      if (keys?.has(key)) return `the key "${key}" is there twice`
      keys?.add(key)
    }
    last = token.startsWith('"') ? token : undefined
  }
  return undefined
}

function unescaped(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1)
  try {
    return String(JSON.parse(token))
  } catch {
    return token
  }
}
