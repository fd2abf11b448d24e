import {
  type AnalysisContext,
  CATEGORIES,
  type Category,
  type CommandFacts,
  type Mutability,
  type PathAccess,
  type Reach,
  type Reason,
  type SimpleCommand,
  type TouchedPath,
} from './facts.ts'
import { type Field, originOf, patternOf, textOf, type Value } from './field.ts'
import { LIMITS } from './limits.ts'
import { absolutePath, categoriesOf, classifyPath, classifyPattern, isEmptyDevice } from './path.ts'

const MUTABILITIES: readonly Mutability[] = ['read', 'write', 'destructive']
const REACHES: readonly Reach[] = ['local', 'network', 'unknown']

/** Collects what is found. Findings are only ever added: the order in which things are looked at changes nothing. */
export class Findings {
  readonly #context: AnalysisContext
  readonly #categories = new Set<Category>()
  readonly #reasons = new Set<Reason>()
  readonly #paths = new Map<string, TouchedPath>()
  readonly #commands = new Map<string, SimpleCommand>()
  readonly #variables = new Set<string>()
  /** What was written in this text, by path; null when the content is not known. */
  readonly #written = new Map<string, Value | null>()
  /** Files that may be program text, and were written in this text; those that somebody has read since are gone. */
  readonly #code = new Map<string, Value | null>()
  #wroteCode = false
  #startedJob = false
  #reach: Reach = 'local'
  #mutability: Mutability = 'read'

  constructor(context: AnalysisContext) {
    this.#context = context
  }

  category(...categories: readonly Category[]): void {
    for (const category of categories) this.#categories.add(category)
  }

  reason(reason: Reason): void {
    this.#reasons.add(reason)
  }

  reach(reach: Reach): void {
    if (REACHES.indexOf(reach) > REACHES.indexOf(this.#reach)) this.#reach = reach
  }

  mutability(mutability: Mutability): void {
    if (MUTABILITIES.indexOf(mutability) > MUTABILITIES.indexOf(this.#mutability)) this.#mutability = mutability
  }

  variable(name: string): void {
    this.#variables.add(name)
  }

  command(command: SimpleCommand): void {
    // The parts of a program that have an entry of their own are no programs.
    if (command.base?.includes(':') === true) return
    this.#commands.set(JSON.stringify(command), command)
  }

  /** A word that names a place, seen from every folder in which the shell may stand. */
  path(field: Field, access: PathAccess, cwds: readonly string[] | null): void {
    if (access === 'write') this.mutability('write')
    if (field.length > LIMITS.maxPieces || patternOf(field).length > LIMITS.maxPathLength) {
      this.category('obfuscated', 'dynamic-path')
      return
    }
    const exact = textOf(field)
    if (exact === '' || exact === '-') return
    if (exact?.includes('\u0000') === true) return
    const origin = originOf(field)
    if (origin === 'derived') this.category('obfuscated')
    if (origin === 'content' || climbs(field)) this.category('dynamic-path')
    const isRelative = !patternOf(field).startsWith('/')
    if (cwds === null && isRelative) this.category('dynamic-path')
    for (const cwd of isRelative ? (cwds ?? ['/']) : ['/']) this.#place(field, exact, access, cwd)
  }

  #place(field: Field, exact: string | null, access: PathAccess, cwd: string): void {
    if (exact !== null && isEmptyDevice(absolutePath(exact, cwd))) return
    const kind =
      exact === null
        ? classifyPattern(field, access, cwd, this.#context)
        : classifyPath(absolutePath(exact, cwd), access, this.#context)
    if (kind === null) return
    const path = absolutePath(exact ?? patternOf(field), cwd)
    if (/^\/dev\/(?:tcp|udp)\//.test(`${path}/`)) {
      this.category('network-client')
      this.reach('network')
    }
    this.#touch({ path, access, class: kind, exact: exact !== null })
    // `.ssh/rc` is both: something that runs later, and a place of credentials.
    if (access !== 'write' || exact === null || kind === 'workspace') return
    const read = classifyPath(path, 'read', this.#context)
    if (read !== kind) this.#touch({ path, access, class: read, exact: true })
  }

  #touch(place: TouchedPath): void {
    if (this.#paths.size < 512) this.#paths.set(`${place.access} ${place.class} ${place.path}`, place)
    this.category(...categoriesOf(place.class, place.access))
  }

  /** True when code of the workspace was left running in the background: it may be what later commands talk to. */
  get startedJob(): boolean {
    return this.#startedJob
  }

  startJob(): void {
    if (this.#categories.has('workspace-code')) this.#startedJob = true
  }

  /** True when this text writes a file that may be program text: by its name anything but a log, a page, or data. */
  get wroteCode(): boolean {
    return this.#wroteCode
  }

  wrote(path: string, content: Value | null, { isNew }: { readonly isNew: boolean }): void {
    if (isEmptyDevice(path)) return
    if (
      isNew &&
      !/\.(?:log|txt|out|err|md|csv|tsv|xml|html|css|svg|png|diff|patch|sum|sql|tar|gz|tgz|zip|bak|old|orig|tmp|ya?ml|toml|ini|env)$|(?<!\/package|\/tsconfig|\/composer|\/deno)\.json$/.test(
        path,
      )
    ) {
      this.#wroteCode = true
      this.#code.set(path, this.#written.has(path) ? null : content)
    }
    this.#written.set(path, this.#written.has(path) ? null : content)
  }

  /** Files that this text wrote and that nobody has read as program text yet; each is given once. */
  takeCode(): readonly (readonly [path: string, content: Value | null])[] {
    const all = [...this.#code]
    this.#code.clear()
    return all
  }

  /** What this text wrote to a file; undefined when it wrote nothing there. */
  contentOf(path: string): Value | null | undefined {
    return this.#written.get(path)
  }

  facts(): CommandFacts {
    // A search path that is changed may lead to what was just written.
    if (this.#wroteCode && this.#variables.has('PATH')) this.category('execution-hook')
    const commands = [...this.#commands.values()]
    return {
      understood: this.#reasons.size === 0,
      reasons: [...this.#reasons].toSorted(),
      reach: this.#reasons.size > 0 && this.#reach === 'local' ? 'unknown' : this.#reach,
      mutability: this.#mutability,
      categories: [...this.#categories].filter((category) => category in CATEGORIES).toSorted(),
      programs: [...new Set(commands.map((command) => command.base ?? 'unknown'))].toSorted(),
      variables: [...this.#variables].toSorted(),
      paths: [...this.#paths.values()].toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
      commands,
    }
  }
}

/** True when a name that is not known is followed by a way up: nobody knows from where. */
function climbs(field: Field): boolean {
  const from = field.findIndex((piece) => piece.kind === 'unknown')
  return from !== -1 && field.slice(from).some((piece) => piece.kind === 'text' && piece.text.includes('..'))
}
