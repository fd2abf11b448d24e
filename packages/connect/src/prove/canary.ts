import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A harmless call that nothing else in the world makes: its word stands in the arguments, and `mark` comes back only from whoever really
 * did it.
 */
export interface Canary {
  /** `tidegate-canary-` and 32 hex digits. */
  readonly word: string
  /** What its file holds: unknown to whoever has only seen the call. */
  readonly mark: string
  /** A file of that name that holds the mark, to be looked at. */
  readonly file: string
  /** A file of that name that is not there, to be written. */
  readonly target: string
}

/** Hatches a canary below a scratch folder. */
export function hatchCanary(scratch: string): Canary {
  const word = `tidegate-canary-${randomBytes(16).toString('hex')}`
  const mark = `mark-${randomBytes(12).toString('hex')}`
  const nest = join(scratch, 'canaries')
  mkdirSync(nest, { recursive: true })
  const file = join(nest, word)
  writeFileSync(file, `${mark}\n`)
  mkdirSync(writtenIn(scratch), { recursive: true })
  return { word, mark, file, target: join(writtenIn(scratch), word) }
}

/** True when the canary was seen to happen: its mark came back, or its file was written. */
export function hasHappened({ mark, target }: Canary, results: readonly string[]): boolean {
  return results.some((text) => text.includes(mark)) || existsSync(target)
}

/** How the MCP server of canaries is started: what is called there leaves a file where {@link hasHappened} looks. */
export function canaryServer(scratch: string): readonly [string, ...string[]] {
  return [process.execPath, fileURLToPath(new URL('./canary-server.ts', import.meta.url)), writtenIn(scratch)]
}

function writtenIn(scratch: string): string {
  return join(scratch, 'written')
}
