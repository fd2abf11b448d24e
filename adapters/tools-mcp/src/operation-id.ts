import { createHash } from 'node:crypto'

const SEGMENT = /^[a-z0-9][a-z0-9-]{0,63}$/
/** What a server is called: the tool of its operations. */
export const SERVER_NAME = /^[a-z][a-z0-9-]{0,31}$/
/**
 * The verb for a tool, from the name that the server gave it: `read_file` and `readFile` become `read-file`, `repo/list` becomes `repo.list`.
 *
 * Total, and for names of plain ASCII readable. Every other name becomes `x-` and a part of its hash: letters that look alike must not make
 * one operation look like another.
 */
export function verbOf(name: string): string {
  if (/^[\x21-\x7e]+$/.test(name)) {
    const segments = name
      .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
      .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
      .toLowerCase()
      .split(/[./:]+/)
      .map((segment) => segment.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, ''))
      .filter((segment) => segment !== '')
    if (segments.length >= 1 && segments.length <= 4 && segments.every((segment) => SEGMENT.test(segment)))
      return segments.join('.')
  }
  return `x-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
}
