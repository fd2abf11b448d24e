import type { Clock, Log, Overlay } from '@tidegate/kernel'

/** A value that a server is given: a declared secret, or a text that anybody may read. */
export type Given = { readonly secret: string; readonly prefix?: string } | { readonly value: string }

/** A program that we start and speak to over its standard input and output. */
export interface StdioServer {
  readonly kind: 'stdio'
  /** A program, never a line for a shell. Looked up in {@link McpPorts.path} when it is no path. */
  readonly command: string
  readonly args: readonly string[]
  /** All that it finds in its environment besides PATH, HOME, TMPDIR and LANG. */
  readonly env: Readonly<Record<string, Given>>
  /** Absolute; its home when absent. */
  readonly cwd?: string
}

/** A server that is spoken to over streamable HTTP. */
export interface HttpServer {
  readonly kind: 'http'
  /** `https:`, or `http:` to this machine. */
  readonly url: string
  /** By name in lower case. Read anew for each request, so that a rotated secret needs no restart. */
  readonly headers: Readonly<Record<string, Given>>
}

/** One upstream server. */
export interface McpServer {
  /** The tool of its operations: lower case letters, digits and `-`. */
  readonly name: string
  readonly title?: string
  readonly transport: StdioServer | HttpServer
  readonly overlay: Overlay
  /** `auto` asks the server for the revision of 2026-07-28 and falls back to those of 2025. */
  readonly protocol: 'auto' | '2025' | '2026'
  /** `lazy`: with remembered definitions nothing is connected before the first call. */
  readonly start: 'eager' | 'lazy'
  readonly startTimeoutMs: number
  /** Of a call, where the overlay does not say. */
  readonly timeoutMs: number
  /** How old the list of tools may be before a call looks at it again; 0 looks before each. */
  readonly recheckMs: number
}

/** What is remembered of a server's definitions between two starts. Text, because it is ours and nobody else reads it. */
export interface McpMemory {
  read(server: string): string | undefined
  write(server: string, text: string): void
}

/** What the adapter is given by whoever puts things together. */
export interface McpPorts {
  readonly secret: (name: string) => Promise<string>
  readonly clock: Clock
  readonly log: Log
  /** PATH of the programs that are started. */
  readonly path: string
  /** An existing directory of its own for a server, absolute: its HOME. */
  readonly homeOf: (server: string) => string
  readonly memory?: McpMemory
  /** What we call ourselves. */
  readonly client: { readonly name: string; readonly version: string }
  /** Told of progress that a server reports about a call; asked of servers only when somebody listens. */
  readonly progress?: (effectId: string, progress: { readonly progress: number; readonly total?: number }) => void
}
