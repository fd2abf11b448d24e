import { ToolsHttpError } from './error.ts'

/** What stands in a path for a parameter. */
export type PathParameter = string | number

/** A path with parameters, checked once. */
export interface PathTemplate {
  readonly text: string
  readonly names: readonly string[]
  /** The path with the parameters in it, or the name of the first parameter that cannot stand in a path. */
  fill(
    parameters: Readonly<Record<string, unknown>>,
  ): { readonly ok: true; readonly path: string } | { readonly ok: false; readonly name: string }
}

const TEMPLATE = /^(?:\/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\{[A-Za-z][A-Za-z0-9_]*\}))+$/
const MAX_PARAMETER = 256
// What could end a segment, begin another part of the URL, or be decoded into either by a server that decodes twice.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a URL.
const ESCAPES = /[/\\%?#;\u0000-\u0020\u007f]/

/**
 * Reads a template such as `/tickets/{ticketId}/state`: each parameter is one whole segment.
 *
 * A parameter never leaves its segment: `/`, `\`, `%`, `?`, `#`, `;`, white space and control characters are refused rather than
 * encoded, because servers decode differently; so are `.` and `..`, the empty text, and texts longer than 256. Everything else is
 * percent-encoded (RFC 3986).
 *
 * @throws ToolsHttpError `http_path`
 */
export function parsePathTemplate(text: string): PathTemplate {
  if (typeof text !== 'string' || text.length > 500 || !TEMPLATE.test(text)) {
    throw new ToolsHttpError(
      'http_path',
      `The path "${String(text).slice(0, 100)}" is no template. Write it as /invoices/{invoiceId}/address; the query goes under query.`,
    )
  }
  const segments = text.slice(1).split('/')
  const names = segments.filter((segment) => segment.startsWith('{')).map((segment) => segment.slice(1, -1))
  return {
    text,
    names,
    fill(parameters) {
      let path = ''
      for (const segment of segments) {
        if (!segment.startsWith('{')) {
          path += `/${segment}`
          continue
        }
        const name = segment.slice(1, -1)
        const value = Object.hasOwn(parameters, name) ? encodeParameter(parameters[name]) : undefined
        if (value === undefined) return { ok: false, name }
        path += `/${value}`
      }
      return { ok: true, path }
    },
  }
}

function encodeParameter(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value !== 'string' || value === '' || value.length > MAX_PARAMETER || !value.isWellFormed()) return undefined
  return ESCAPES.test(value) || /^\.+$/.test(value) ? undefined : encodeURIComponent(value)
}
