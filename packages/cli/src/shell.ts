import { createInterface } from 'node:readline/promises'
import { inert, inertJson } from './terminal/inert.ts'
import { createStyle, type Style, wantsColour } from './terminal/style.ts'

/** The options that every command takes. */
export interface GlobalOptions {
  readonly project?: string
  readonly as?: string
  readonly server?: string
  readonly tokenFile?: string
  readonly json?: boolean
  readonly color?: boolean
  readonly quiet?: boolean
}

/** What a command has of the terminal that it runs in. */
export interface Shell {
  readonly options: GlobalOptions
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** For stdout. */
  readonly style: Style
  /** Columns of stdout; a large number where nobody looks. */
  readonly columns: number
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** True when a person can be asked. */
  readonly canAsk: boolean
  /**
   * Says what came out, once per command: with `--json` the document, otherwise what `render` makes of it. Every text in the
   * document was made inert before `render` sees it.
   */
  result<T>(document: T, render: (view: T) => string): void
  /** Says something meanwhile, on stderr; not with `--quiet`. The text must be inert. */
  note(text: string): void
  /** Asks a person one line, on stderr. */
  ask(question: string): Promise<string>
  /** Shows on stderr that something takes longer than two seconds. */
  progress<T>(label: string, work: Promise<T>): Promise<T>
}

const PATIENCE_MS = 2_000

/** Makes the shell of this process. */
export function createShell(options: GlobalOptions, signal: AbortSignal): Shell {
  const { stdout, stderr, stdin, env } = process
  const json = options.json === true
  const colour = !json && wantsColour({ flag: options.color !== false, isTty: stdout.isTTY === true, env })
  const note = (text: string): void => {
    if (options.quiet !== true) stderr.write(`${text}\n`)
  }
  return {
    options,
    env,
    cwd: process.cwd(),
    style: createStyle({ colour }),
    columns: stdout.isTTY ? Math.max(40, stdout.columns) : 1_000,
    signal,
    canAsk: !json && stdin.isTTY === true && stderr.isTTY === true,
    result: (document, render) => {
      stdout.write(`${json ? inertJson(document) : render(inert(document))}\n`)
    },
    note,
    ask: async (question) => {
      const reader = createInterface({ input: stdin, output: stderr })
      try {
        return await reader.question(question, { signal })
      } finally {
        reader.close()
      }
    },
    progress: async (label, work) => {
      const startedMs = performance.now()
      const timer = setInterval(() => note(`${label} ... ${Math.round((performance.now() - startedMs) / 1_000)} s`), PATIENCE_MS)
      try {
        return await work
      } finally {
        clearInterval(timer)
      }
    },
  }
}
