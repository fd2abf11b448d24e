import {
  approvalListSchema,
  approvalSchema,
  changeAnswerSchema,
  endorseAnswerSchema,
  endorsementListSchema,
  exportAnswerSchema,
  healthSchema,
  hostListSchema,
  ledgerHeadSchema,
  ledgerVerificationSchema,
  liftAnswerSchema,
  meSchema,
  policyExplanationSchema,
  policyPlanSchema,
  policyTextsSchema,
  policyVersionListSchema,
  PROBLEM_TYPE,
  problemSchema,
  calibrationSchema,
  meterListSchema,
  meterSchema,
  queueListSchema,
  receiptSchema,
  resolveAnswerSchema,
  runDetailSchema,
  runHeadSchema,
  runListSchema,
  stopListSchema,
  stopReportSchema,
  toolChangeListSchema,
  toolListSchema,
  toolSchema,
  triggerAnswerSchema,
  undoAnswerSchema,
  voteAnswerSchema,
  WIRE_LIMITS,
  workflowListSchema,
  workflowSchema,
} from '@tidegate/protocol'
import type { Client, ClientOptions } from './client.ts'
import { ClientError } from './error.ts'
import { createExchange, type Incoming } from './exchange.ts'

const DEFAULT_TIMEOUT_MS = 35_000
/** The gateway gives a whole ledger 300 s. */
const WHOLE_LEDGER_MS = 310_000
/** The gateway gives a plan 120 s. */
const PLAN_MS = 130_000

/** What a schema of the protocol offers. */
interface AnswerSchema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] } }
}

/**
 * Creates a client of the gateway at a URL. Nothing is sent before the first call; connections are kept until `close`.
 *
 * @throws ClientError `request_invalid` when the URL or the token cannot be used.
 */
export function createClient(options: ClientOptions): Client {
  const { token, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
  const url = parseUrl(options.url)
  if (token !== undefined && !/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new ClientError('request_invalid', 'The token must be visible ASCII characters without blanks.')
  }
  const exchange = createExchange(url, token)
  const ask = async <T>(
    method: 'GET' | 'POST',
    path: string,
    schema: AnswerSchema<T>,
    body?: unknown,
    ms = timeoutMs,
  ): Promise<T> => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return understand(await exchange.send({ method, path: `/v1${path}`, body: text, timeoutMs: ms, signal }), schema)
  }
  const get = <T>(path: string, schema: AnswerSchema<T>, ms?: number) => ask('GET', path, schema, undefined, ms)
  const post = <T>(path: string, schema: AnswerSchema<T>, body?: unknown, ms?: number) => ask('POST', path, schema, body, ms)
  return {
    health: () => get('/health', healthSchema),
    me: () => get('/me', meSchema),
    trigger: (request) => post('/triggers', triggerAnswerSchema, request),
    runs: async (query = {}) => (await get(`/runs${queryOf({ ...query, state: query.state?.join(',') })}`, runListSchema)).runs,
    run: (id) => get(`/runs/${segment(id)}`, runDetailSchema),
    settled: (id, waitMs) => {
      const ms = Math.min(Math.max(0, Math.round(waitMs)), WIRE_LIMITS.settleMs)
      return get(`/runs/${segment(id)}/settled?timeoutMs=${ms}`, runHeadSchema, ms + timeoutMs)
    },
    undo: (run, why) => post(`/runs/${segment(run)}/undo`, undoAnswerSchema, { why }),
    approvals: async (state) => (await get(`/approvals?state=${state}`, approvalListSchema)).approvals,
    approval: (id) => get(`/approvals/${segment(id)}`, approvalSchema),
    vote: (id, request) => post(`/approvals/${segment(id)}/votes`, voteAnswerSchema, request),
    endorse: (run, request) => post(`/runs/${segment(run)}/endorsements`, endorseAnswerSchema, request),
    endorsements: async (run) => (await get(`/runs/${segment(run)}/endorsements`, endorsementListSchema)).endorsements,
    stops: async () => (await get('/stops', stopListSchema)).stops,
    stop: (request) => post('/stops', stopReportSchema, request),
    lift: (request) => post('/stops/lift', liftAnswerSchema, request),
    calibration: (workflow) =>
      get(`/calibration${workflow === undefined ? '' : `?workflow=${segment(workflow)}`}`, calibrationSchema),
    limits: async () => (await get('/limits', meterListSchema)).meters,
    limit: (name) => get(`/limits/${segment(name)}`, meterSchema),
    queue: async (all) => (await get(`/queue?all=${all}`, queueListSchema)).items,
    resolve: (item, why) => post(`/queue/${segment(item)}/resolve`, resolveAnswerSchema, { why }),
    ledgerHead: () => get('/ledger/head', ledgerHeadSchema),
    ledgerVerify: () => post('/ledger/verify', ledgerVerificationSchema, undefined, WHOLE_LEDGER_MS),
    ledgerExport: (request) => post('/ledger/export', exportAnswerSchema, request, WHOLE_LEDGER_MS),
    receipt: (of) => get(`/ledger/receipt${queryOf({ ...of })}`, receiptSchema),
    tools: async () => (await get('/tools', toolListSchema)).tools,
    tool: (id) => get(`/tools/${segment(id)}`, toolSchema),
    workflows: async () => (await get('/workflows', workflowListSchema)).workflows,
    workflow: (name) => get(`/workflows/${segment(name)}`, workflowSchema),
    policyPlan: (request) => post('/policy/plan', policyPlanSchema, request, PLAN_MS),
    policyApply: (request) => post('/policy/apply', changeAnswerSchema, request, PLAN_MS),
    policyRollback: (request) => post('/policy/rollback', changeAnswerSchema, request),
    policyVersions: async () => (await get('/policy/versions', policyVersionListSchema)).versions,
    policyVersion: (version) => get(`/policy/version${queryOf({ version })}`, policyTextsSchema),
    policyExplain: (run, action) => get(`/policy/explain${queryOf({ run, action })}`, policyExplanationSchema),
    toolChanges: async () => (await get('/changes/tools', toolChangeListSchema)).changes,
    toolAccept: (request) => post('/changes/tools', changeAnswerSchema, request),
    hosts: async () => (await get('/hosts', hostListSchema)).hosts,
    close: () => exchange.close(),
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' || url.username !== '' || url.pathname !== '/' || url.search !== '') {
    throw new ClientError('request_invalid', 'The address of the server must look like http://127.0.0.1:7070.')
  }
  return url
}

/** Reads an answer. The gateway is ours, but what answers at an address may be anything: nothing unchecked goes on. */
function understand<T>(incoming: Incoming, schema: AnswerSchema<T>): T {
  const value = parse(incoming)
  if (incoming.status < 200 || incoming.status > 299) throw refusalOf(incoming, value)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.map(String).join('/') ?? ''
  throw new ClientError(
    'malformed_answer',
    `The server answered something unexpected at /${path}. Do client and server have the same version?`,
  )
}

function parse({ text, contentType, status }: Incoming): unknown {
  try {
    if (/^application\/(?:problem\+)?json\b/.test(contentType)) return JSON.parse(text)
  } catch (cause) {
    throw new ClientError('malformed_answer', 'The server answered something that is not JSON.', { cause })
  }
  throw new ClientError('malformed_answer', `What answers there (status ${status}) is not a Tidegate server.`)
}

function refusalOf(incoming: Incoming, value: unknown): ClientError {
  const result = problemSchema.safeParse(value)
  if (!result.success || !incoming.contentType.startsWith(PROBLEM_TYPE)) {
    return new ClientError('malformed_answer', `What answers there (status ${incoming.status}) is not a Tidegate server.`)
  }
  const problem = result.data
  const incident = problem.incident === undefined ? '' : ` (incident ${problem.incident})`
  return new ClientError(problem.status === 401 ? 'unauthorized' : 'problem', `${problem.detail}${incident}`, { problem })
}

/** An id as one segment of a path. */
function segment(id: string): string {
  if (id === '' || id === '.' || id === '..') throw new ClientError('request_invalid', 'The id is empty.')
  return encodeURIComponent(id)
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined)
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(Object.fromEntries(pairs.map(([key, value]) => [key, String(value)])))}`
}
