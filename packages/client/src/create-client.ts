import {
  approvalListSchema,
  approvalSchema,
  canaryListSchema,
  changeAnswerSchema,
  doctorSchema,
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
  calibrationSchema,
  meterListSchema,
  observedReportSchema,
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
import { type AnswerSchema, createAsk } from './ask.ts'
import type { Client, ClientOptions } from './client.ts'
import { ClientError } from './error.ts'

const DEFAULT_TIMEOUT_MS = 35_000
/** The gateway gives a whole ledger 300 s. */
const WHOLE_LEDGER_MS = 310_000
/** The gateway gives a plan 120 s. */
const PLAN_MS = 130_000

/**
 * Creates a client of the gateway at a URL. Nothing is sent before the first call; connections are kept until `close`.
 *
 * @throws ClientError `request_invalid` when the URL or the token cannot be used.
 */
export function createClient(options: ClientOptions): Client {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const { ask, close } = createAsk(options)
  const get = <T>(path: string, schema: AnswerSchema<T>, ms = timeoutMs) => ask('GET', path, schema, undefined, ms)
  const post = <T>(path: string, schema: AnswerSchema<T>, body?: unknown, ms = timeoutMs) => ask('POST', path, schema, body, ms)
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
    observed: (query) => ask('GET', `/hosts/observed${queryOf(query)}`, observedReportSchema, undefined, PLAN_MS),
    canaries: async (host, query) =>
      (await get(`/hosts/${segment(host)}/canaries${queryOf(query)}`, canaryListSchema, PLAN_MS)).sightings,
    doctor: () => get('/doctor', doctorSchema, PLAN_MS),
    close,
  }
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
