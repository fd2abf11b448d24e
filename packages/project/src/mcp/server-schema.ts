import { OWN_TOOL } from '@tidegate/kernel'
import { z } from 'zod'
import { parseDuration } from '../yaml/duration.ts'
import { section } from '../yaml/section.ts'

const SERVER_NAME = /^[a-z][a-z0-9-]{0,31}$/
const SECRET_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
const path = z.string().min(1).max(1_024)

/** A duration of at least one and at most so many milliseconds. */
export function durationUpTo(most: number, words: string) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text)
    if (ms !== undefined && ms <= most) return ms
    context.issues.push({
      code: 'custom',
      message: `Expected a duration such as 500ms, 30s or 10m, ${words} at most.`,
      input: text,
    })
    return z.NEVER
  })
}

/** What a server is given: a secret that the configuration declares, or a text that anybody may read. */
const given = z.union(
  [
    section({ secret: z.string().regex(SECRET_NAME), prefix: z.string().max(64).optional() }),
    section({ value: z.string().max(4_096) }),
  ],
  { error: 'Expected {secret: name}, with the name of one under secrets, or {value: text} for what is no secret.' },
)

const stdio = section({
  command: z
    .string()
    .regex(/^[^\s;|&$`<>]{1,1024}$/u, 'Expected one program, such as node or ./bin/server; its arguments go into args.'),
  args: z.array(z.string().max(4_096)).max(100).default([]),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/u, 'Expected a name such as API_TOKEN.'), given).default({}),
  cwd: path.optional(),
})

const http = section({
  url: z
    .string()
    .max(2_048)
    .regex(
      /^(?:https:\/\/[^\s@#]+|http:\/\/(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?(?:\/[^\s@#]*)?)$/u,
      'Expected an address that begins with https://, or with http:// on this machine, without a password in it.',
    ),
  headers: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/u, 'Write the names of headers in lower case.'), given).default({}),
})

/** One upstream MCP server in tidegate.yaml. */
export const mcpServerSchema = section({
  name: z
    .string()
    .regex(SERVER_NAME, 'Expected lower-case letters, digits and dashes, at most 32.')
    .refine((name) => name !== OWN_TOOL, 'This is the name of Tidegate itself. Use another.'),
  title: z.string().min(1).max(80).optional(),
  stdio: stdio.optional(),
  http: http.optional(),
  /** The file that says what its tools do. Without one, everything is asked about. */
  overlay: path.optional(),
  protocol: z.enum(['auto', '2025', '2026']).default('auto'),
  start: z.enum(['eager', 'lazy']).default('eager'),
  startTimeout: durationUpTo(300_000, '5m').prefault('20s'),
  timeout: durationUpTo(300_000, '5m').prefault('30s'),
  recheck: durationUpTo(86_400_000, '24h').prefault('1m'),
}).refine((server) => (server.stdio === undefined) !== (server.http === undefined), {
  error: 'Write either "stdio" (a program to start) or "http" (an address).',
})

/** The upstream MCP servers in tidegate.yaml. */
export const mcpServersSchema = z
  .array(mcpServerSchema)
  .max(50)
  .refine((servers) => new Set(servers.map(({ name }) => name)).size === servers.length, {
    error: 'Two MCP servers have the same name. Rename one.',
  })
