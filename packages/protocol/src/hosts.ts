import { z } from 'zod'
import { hostNoticeSchema } from './proof.ts'
import { wireCount, wireId, wireJson, wireLine, wireList, wireMs, wireObject } from './text.ts'

/** The longest that one call of a host is waited for. */
export const HOST_WAIT_MS = 590_000
/** Calls and reports of hosts are larger than other requests: they carry what tools take and answer. */
export const HOST_BODY_BYTES = 4_194_304

const ownName = z.string().min(1).max(200)
const version = z.string().max(100)
const names = z.array(z.string().max(200)).max(200)

/** `POST /v1/host/hello`: what a host says about itself at its start, and every now and then. */
export const hostHelloSchema = z.strictObject({
  kind: z.enum(['openclaw', 'claude-code', 'mcp']).optional(),
  hostVersion: version.optional(),
  pluginVersion: version.optional(),
  configDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  surfaces: names.optional(),
  others: names.optional(),
})
export type WireHostHello = z.input<typeof hostHelloSchema>

export const hostGreetingSchema = z.object({
  host: wireLine,
  mode: z.enum(['observe', 'enforce']),
  tickets: z.boolean(),
  serverVersion: wireLine,
})
export type WireHostGreeting = z.infer<typeof hostGreetingSchema>

/** `POST /v1/host/heard`: what an agent was told. */
export const hostHeardSchema = z.strictObject({
  session: ownName,
  text: z.string().max(100_000),
  from: z.enum(['user', 'third-party']),
  person: z.string().max(200).optional(),
})
export type WireHostHeard = z.input<typeof hostHeardSchema>

/** `POST /v1/host/calls`: a call that a host wants to make. */
export const hostCallSchema = z.strictObject({
  session: ownName,
  call: ownName,
  tool: z.string().min(1).max(300),
  arguments: wireObject,
  person: z
    .string()
    .regex(/^user:[^\s]{1,195}$/)
    .optional(),
  goal: z.string().max(2_000).optional(),
  cwd: z.string().max(4_096).optional(),
  by: z.enum(['host', 'tidegate']),
  waitMs: z.int().min(0).max(HOST_WAIT_MS).default(0),
})
export type WireHostCall = z.input<typeof hostCallSchema>

const would = z.object({ outcome: z.enum(['deny', 'ask', 'dry_run']), reasons: wireList(wireLine) }).optional()
const run = wireId
const mode = z.enum(['observe', 'enforce'])

export const hostAnswerSchema = z.discriminatedUnion('answer', [
  z.object({ answer: z.literal('permit'), run, mode, arguments: wireJson, would }),
  z.object({ answer: z.literal('ticket'), run, mode, arguments: wireJson, ticket: wireLine, would }),
  z.object({ answer: z.literal('done'), run, mode, output: wireJson, complete: z.boolean(), would }),
  z.object({ answer: z.literal('denied'), run, mode, reasons: wireList(wireLine), failure: wireLine }),
  z.object({ answer: z.literal('pending'), run, mode, approval: wireId, deadlineMs: wireMs, message: wireLine }),
  z.object({ answer: z.literal('rehearsed'), run, mode, preview: wireJson, reasons: wireList(wireLine) }),
  z.object({ answer: z.literal('stopped'), run, mode, message: wireLine }),
  z.object({ answer: z.literal('failed'), run, mode, message: wireLine, failure: wireLine }),
  z.object({ answer: z.literal('unknown'), run, mode, message: wireLine }),
])
export type WireHostAnswer = z.infer<typeof hostAnswerSchema>

/** `POST /v1/host/reports`: what came of a call that the host did itself. */
export const hostReportSchema = z.strictObject({
  session: ownName,
  call: ownName,
  ok: z.boolean(),
  output: wireJson.optional(),
  error: z.string().max(20_000).optional(),
  durationMs: z.number().min(0).optional(),
  truncated: z.boolean().optional(),
})
export type WireHostReport = z.input<typeof hostReportSchema>

/** A host, and what is known of it since the server started. */
export const hostViewSchema = z.object({
  name: wireLine,
  kind: z.enum(['openclaw', 'claude-code', 'mcp']),
  agent: wireLine,
  mode,
  tickets: z.boolean(),
  lastSeenMs: wireMs.nullable(),
  lastCallMs: wireMs.nullable(),
  hostVersion: wireLine.nullable(),
  pluginVersion: wireLine.nullable(),
  configDigest: wireLine.nullable(),
  surfaces: wireList(wireLine),
  others: wireList(wireLine),
  calls: wireCount,
  denied: wireCount,
  wouldHave: wireCount,
  withoutTicket: wireCount,
  /** What to look at; a server before 0.2 says nothing. */
  notices: wireList(hostNoticeSchema).default([]),
})
export type WireHostView = z.infer<typeof hostViewSchema>

/** `GET /v1/hosts`. */
export const hostListSchema = z.object({ hosts: wireList(hostViewSchema) })

/** `GET /v1/hosts/observed`. */
export const observedQuerySchema = z.strictObject({
  host: z.string().max(64).optional(),
  sinceMs: z.coerce.number().int().min(0).optional(),
})

const outcome = z.enum(['deny', 'ask', 'dry_run'])

/** What would have been, had the hosts that are only observed been governed. */
export const observedReportSchema = z.object({
  calls: wireCount,
  outcomes: z.object({ allow: wireCount, dry_run: wireCount, ask: wireCount, deny: wireCount }),
  groups: wireList(
    z.object({
      host: wireLine,
      operation: wireLine,
      policy: wireLine,
      reason: wireLine,
      outcome,
      calls: wireCount,
      firstMs: wireMs,
      lastMs: wireMs,
      example: wireId,
      quiet: wireList(wireLine),
    }),
  ),
  isCut: z.boolean(),
})
export type WireObservedReport = z.infer<typeof observedReportSchema>
