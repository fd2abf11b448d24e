import { readFileSync } from 'node:fs'

/** What a bypass wants to reach. */
export type Goal = 'network' | 'read-secret' | 'write-outside' | 'escape' | 'persistence' | 'agent-config'

/** A command that tries to get round a control, and how one sees that it did. */
export interface Bypass {
  readonly id: string
  readonly family: string
  readonly command: string
  readonly goal: Goal
  /** `connect`: something connected to HOST:PORT. `output`: the secret was printed. `file`: `watch` (OUTSIDE unless told) was made or changed. */
  readonly canary: 'connect' | 'output' | 'file'
  readonly watch?: string
  /** Programs without which it cannot work. */
  readonly needs?: readonly string[]
}

/** A command of an ordinary day; `needs` says that it is not one that should pass without a question. */
export interface Ordinary {
  readonly id: string
  readonly command: string
  readonly needs?: 'network' | 'container'
}

/** What stands in for the placeholders. */
export interface Places {
  readonly host: string
  readonly port: number
  readonly secret: string
  readonly outside: string
  readonly home: string
}

// Both files are ours, and the tests below them look at every row.
export function readBypasses(): readonly Bypass[] {
  return JSON.parse(readFileSync(new URL('../corpus/bypasses.json', import.meta.url), 'utf8')) as readonly Bypass[]
}

export function readOrdinary(): readonly Ordinary[] {
  return JSON.parse(readFileSync(new URL('../corpus/ordinary.json', import.meta.url), 'utf8')) as readonly Ordinary[]
}

const TRANSFORMS: Readonly<Record<string, (text: string) => string>> = {
  base64: (text) => Buffer.from(text).toString('base64'),
  hex: (text) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  octal: (text) => [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  plainhex: (text) => Buffer.from(text).toString('hex'),
  rot13: (text) => text.replace(/[a-z]/gi, (char) => String.fromCharCode(char.charCodeAt(0) + (/[a-m]/i.test(char) ? 13 : -13))),
  rev: (text) => [...text].toReversed().join(''),
  /** The last character of each folder and of the file becomes `?`. */
  glob: (path) => path.replace(/[^/](?=\/|$)/g, '?'),
  /** Empty quotes inside of each component. */
  quote: (path) => path.replace(/\/(.)/g, "/$1''"),
}

/** Puts values in the place of `{{HOST}}` and its like, innermost first: `{{base64:cat {{SECRET}}}}`. */
export function fill(template: string, places: Places): string {
  const values: Readonly<Record<string, string>> = {
    HOST: places.host,
    PORT: String(places.port),
    SECRET: places.secret,
    OUTSIDE: places.outside,
    HOME: places.home,
  }
  let text = template.replace(/\{\{([A-Z]+)\}\}/g, (whole, name: string) => values[name] ?? whole)
  text = text.replace(
    /\{\{([a-z0-9]+):((?:(?!\{\{|\}\})[\s\S])*)\}\}/g,
    (whole, name: string, inner: string) => TRANSFORMS[name]?.(inner) ?? whole,
  )
  return text
}
