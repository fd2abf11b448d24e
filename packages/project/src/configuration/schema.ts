import { parseApprovers } from '@tidegate/cedar'
import { z } from 'zod'
import { mcpServersSchema } from '../mcp/server-schema.ts'
import { parseDuration } from '../yaml/duration.ts'
import { section } from '../yaml/section.ts'

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
const PATH = z.string().min(1).max(1_024)
/** The sets of policies that Tidegate brings, see packages/cedar/profiles. */
export const PROFILES = ['balanced', 'strict', 'observe'] as const
export type Profile = (typeof PROFILES)[number]

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  context.issues.push({ code: 'custom', message: 'Expected a duration such as 500ms, 30s, 10m, 24h or 7d.', input: text })
  return z.NEVER
})

/** Where a secret comes from. Never the secret itself: the configuration is committed, printed and backed up. */
const secret = z.union([z.strictObject({ file: PATH }), z.strictObject({ env: z.string().regex(/^[A-Z_][A-Z0-9_]{0,127}$/) })], {
  error: 'Expected {file: path} or {env: NAME}: a secret never stands in the configuration itself.',
})

const model = section({
  preset: z.enum(['dashscope', 'dashscope-intl', 'openai', 'vllm', 'ollama']),
  name: z.string().min(1).max(200),
  baseUrl: z.string().max(2_048).optional(),
  apiKey: secret.optional(),
  timeout: duration.prefault('60s'),
  maxOutputTokens: z.int().min(1).max(1_000_000).default(1_024),
  price: section({ inputPerMillion: z.number().min(0).max(10_000), outputPerMillion: z.number().min(0).max(10_000) }).default({
    inputPerMillion: 0,
    outputPerMillion: 0,
  }),
})

/** `role:security x1`, as in the annotation `@approvers`. */
const approver = z.string().transform((text, context) => {
  const [rule] = parseApprovers(text) ?? []
  if (rule !== undefined && !text.includes(',')) return rule
  context.issues.push({ code: 'custom', message: 'Expected role: and a name, such as "role:security x1".', input: text })
  return z.NEVER
})

const timeZone = z.string().max(64).refine(isTimeZone, 'Expected a time zone such as Europe/Berlin or UTC.')

/** Decisions for others (AuthZEN): about entities of the project's own, and requests for access. */
const authzen = section({
  publicUrl: z
    .string()
    .regex(
      /^https?:\/\/[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::[0-9]{1,5})?$/,
      'Expected an address such as https://pdp.example.com, without a path.',
    )
    .optional(),
  policies: z.array(PATH).min(1).max(200).optional(),
  schema: PATH.optional(),
  entities: PATH.optional(),
  requests: section({
    ask: duration.prefault('10m'),
    answer: duration.prefault('24h'),
    grant: duration.prefault('1h'),
  }).prefault({}),
}).refine(
  ({ policies, schema, entities }) => (policies === undefined) === (schema === undefined) && (schema ?? entities) === schema,
  {
    error: 'Write both "policies" and "schema", or none of them; "entities" goes with them.',
  },
)

/** Commands, in a sandbox. */
const exec = section({
  workspace: PATH,
  /** Whose word it is what lies in the workspace. */
  contents: z.enum(['trusted', 'third-party']).default('trusted'),
  timeout: duration.prefault('2m'),
  memory: z.int().min(16).max(1_048_576).default(1_024),
  processes: z.int().min(4).max(10_000).default(256),
  /** Hosts that commands may speak to once they were allowed to reach further. */
  egress: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?:[0-9]{1,5}$/,
          'Expected a host and a port, such as packages.example.org:443.',
        ),
    )
    .max(200)
    .default([]),
  environment: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]{0,127}$/), z.string().max(4_096)).default({}),
  /** Directories that are neither kept nor taken back. */
  exclude: z.array(z.string().min(1).max(200)).max(100).default(['node_modules', '.venv', '__pycache__']),
})

const perMillion = z.number().min(0).max(10_000)

/** The model that a host plans with, when its calls go through Tidegate as well. */
const hostModel = section({
  format: z.enum(['openai', 'anthropic']),
  baseUrl: z.string().max(2_048),
  /** Left out for a server of one's own that wants none. */
  apiKey: secret.optional(),
  /** Allows addresses of private networks, and http to them. */
  private: z.boolean().default(false),
  timeout: duration.prefault('10m'),
  price: section({
    inputPerMillion: perMillion,
    outputPerMillion: perMillion,
    /** What the provider has read before; as much as other input unless told. */
    cachedInputPerMillion: perMillion.optional(),
  }).default({ inputPerMillion: 0, outputPerMillion: 0 }),
})

/** An agent program that is not ours, and whose calls go through Tidegate. */
const host = section({
  name: z.string().regex(NAME, 'Expected lower-case letters, digits and dashes.'),
  kind: z.enum(['openclaw', 'claude-code', 'mcp']),
  agent: z.string().regex(NAME, 'Expected lower-case letters, digits and dashes.').optional(),
  mode: z.enum(['observe', 'enforce']).default('observe'),
  person: z
    .string()
    .regex(/^user:[a-z0-9][a-z0-9._-]{0,63}$/, 'Expected user: and a name, such as user:mei.')
    .optional(),
  operations: z.array(z.string().min(1).max(200)).max(1_000).default([]),
  tickets: z.enum(['required', 'none']).optional(),
  approvals: duration.prefault('24h'),
  /** How long it may say nothing before that is noticed. */
  silentAfter: duration.optional(),
  model: hostModel.optional(),
})

/** The whole of tidegate.yaml. Unknown keys are refused. */
export const configurationSchema = section({
  name: z.string().regex(NAME, 'Expected lower-case letters, digits and dashes.'),
  trustDomain: z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?$/, 'Expected a domain name such as example.org.'),
  environment: z.enum(['development', 'staging', 'production']),
  store: section({ directory: PATH }).default({ directory: '.tidegate' }),
  server: section({ host: z.string().max(255).default('127.0.0.1'), port: z.int().min(0).max(65_535) }).default({
    host: '127.0.0.1',
    port: 0,
  }),
  people: z
    .array(
      section({
        id: z.string().regex(/^user:[a-z0-9][a-z0-9._-]{0,63}$/, 'Expected user: and a name, such as user:mei.'),
        roles: z.array(z.string().regex(NAME)).min(1).max(32),
      }),
    )
    .min(1)
    .max(1_000),
  tools: z
    .array(section({ file: PATH, settings: z.record(z.string(), z.json()).default({}) }))
    .max(200)
    .default([]),
  /** MCP servers whose tools become operations. */
  mcp: mcpServersSchema.default([]),
  workflows: z.array(PATH).max(200).default([]),
  policies: z.array(PATH).max(200).default([]),
  /** Policies that Tidegate brings, below those of the project. */
  profile: z.enum(PROFILES).optional(),
  /** Operations that a policy of the profile says nothing about. */
  exceptions: z
    .array(
      section({
        policy: z.string().min(1).max(200),
        operations: z.array(z.string().min(1).max(200)).min(1).max(200),
        why: z.string().min(1).max(1_000),
      }),
    )
    .max(200)
    .default([]),
  limits: z.array(PATH).min(1).max(200).optional(),
  /** In which policies read hours and weekdays. */
  timeZone: timeZone.default('UTC'),
  /** Who reviews a change of policy or of a tool. */
  changes: section({ reviewers: z.array(approver).min(1).max(8) }).optional(),
  secrets: z.record(z.string().regex(NAME), secret).default({}),
  model: model.optional(),
  authzen: authzen.optional(),
  hosts: z.array(host).max(100).default([]),
  exec: exec.optional(),
  /** Small pieces of JavaScript that compute something, and reach nothing. */
  javascript: section({
    timeout: duration.prefault('2s'),
    memory: z.int().min(1).max(1_024).default(64),
  }).optional(),
  retention: section({ payloads: duration }).optional(),
  witness: section({
    url: z.string().max(2_048),
    key: z.string().max(512),
    every: duration.prefault('5s'),
    required: z.boolean().default(false),
  }).optional(),
}).refine(({ policies, profile }) => policies.length > 0 || profile !== undefined, {
  path: ['policies'],
  error: 'Nothing is permitted without policies. Name some, or a profile: `profile: balanced`.',
})

export type Configuration = z.output<typeof configurationSchema>
export type SecretReference = z.output<typeof secret>

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
