import {
  type ActionProposed,
  type EffectFinished,
  type Entry,
  foldRun,
  type Json,
  type JsonObject,
  type Operation,
  type Question,
  type RunEvent,
  type RunOpened,
  type RunState,
} from '@tidegate/kernel'

/** When the runs of these tests begin. */
export const START_MS = 1_700_000_000_000

/** Folds events to a run, one record each, a second apart. */
export function runOf(events: readonly RunEvent[]): RunState {
  const [opened] = events
  const stream = opened?.type === 'run.opened' ? `run/${opened.run}` : 'run/none'
  return foldRun(
    events.map(
      (event, i): Entry => ({
        index: i,
        stream,
        seq: i + 1,
        atMs: START_MS + i * 1_000,
        epoch: 0,
        events: [event],
        erased: false,
      }),
    ),
  )
}

export function opened(run: string, more: Partial<RunOpened> & { readonly input?: JsonObject } = {}): RunOpened {
  const { input = { ticketId: 't-1003' }, ...rest } = more
  return {
    type: 'run.opened',
    run,
    workflow: 'support-billing',
    workflowVersion: 'f'.repeat(64),
    agent: 'agent:desk',
    actors: ['user:otto', 'client:gateway', 'agent:desk'],
    trigger: { source: 'support-desk', event: 'evt-1' },
    environment: 'production',
    stage: 3,
    policyVersion: 'e'.repeat(64),
    undoes: null,
    sealed: { input, undo: [] },
    ...rest,
  }
}

export function proposed(action: number, operation: string, args: Json, more: Partial<ActionProposed> = {}): ActionProposed {
  return {
    type: 'action.proposed',
    action,
    operation,
    purpose: 'act',
    effect: !/\.(?:read|list)$/.test(operation),
    node: null,
    confidence: 10_000,
    claimedRisk: null,
    digest: digestOf(action),
    compensates: null,
    sealed: { goal: 'help the customer', justification: 'the ticket asks for it', arguments: args, origins: ['system'] },
    ...more,
  }
}

export function digestOf(action: number): string {
  return (action + 10).toString(16).padStart(64, '0')
}

export function decided(
  action: number,
  outcome: 'allow' | 'dry_run' | 'ask' | 'deny',
  policies: readonly { readonly id: string; readonly reason: string }[] = [{ id: 'reads', reason: 'reading is fine' }],
): RunEvent {
  const approvers = outcome === 'ask' ? [{ role: 'billing-lead', count: 1 }] : []
  return {
    type: 'action.decided',
    action,
    outcome,
    policies,
    approvers,
    policyVersion: 'e'.repeat(64),
    failure: null,
    facts: null,
  }
}

export function started(action: number, approval: string | null = null, attempt = 1): RunEvent {
  return { type: 'effect.started', action, attempt, digest: digestOf(action), approval, lease: [] }
}

export function finished(action: number, output: Json, more: Partial<EffectFinished> = {}): RunEvent {
  return {
    type: 'effect.finished',
    action,
    attempt: 1,
    result: 'done',
    durationMs: 12,
    complete: true,
    findings: [],
    failure: null,
    retry: null,
    code: null,
    sealed: { output, message: '' },
    ...more,
  }
}

export function failed(action: number, message: string, retry: 'never' | 'safe' | 'unknown' = 'never'): RunEvent {
  return finished(action, null, { result: 'failed', failure: 'semantic', retry, sealed: { output: null, message } })
}

export function question(run: string, id: string, action: number): Question {
  return {
    id,
    run,
    action,
    digest: digestOf(action),
    previewDigest: 'd'.repeat(64),
    policyVersion: 'e'.repeat(64),
    policies: ['production-high-risk'],
    approvers: [{ role: 'billing-lead', count: 1 }],
    requesters: ['user:otto', 'client:gateway', 'agent:desk'],
    openedAtMs: START_MS,
    deadlineMs: START_MS + 86_400_000,
  }
}

export function ended(
  state: 'completed' | 'failed' | 'stopped' | 'undone' | 'escalated',
  failure: RunState['failure'] = null,
): RunEvent {
  return { type: 'run.finished', state, failure }
}

/** An operation of the example, with what a test does not care about filled in. */
export function operation(id: string, title: string, more: Partial<Operation> = {}): Operation {
  const shape = { parse: (value: Json) => ({ ok: true, value }) as const, jsonSchema: { type: 'object' } }
  return {
    id,
    tool: id.split('.')[0] ?? id,
    title,
    description: `${title}.`,
    input: shape,
    output: shape,
    mutability: /\.(?:read|list)$/.test(id) ? 'read' : 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'low',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    origins: {},
    idempotency: 'none',
    timeoutMs: 5_000,
    maxAttempts: 2,
    settleMs: 1_000,
    secrets: [],
    canPreview: false,
    canReconcile: true,
    canVerify: true,
    schemaVersion: 'c'.repeat(64),
    ...more,
  }
}

/** Some operations of the support desk. */
export const DESK = [
  operation('desk.ticket.read', 'Read a ticket', { records: ['/ticketId'] }),
  operation('desk.invoice.read', 'Read an invoice', { records: ['/invoiceId'] }),
  operation('desk.refund.create', 'Refund an invoice', {
    records: ['/invoiceId'],
    risk: 'high',
    reversibility: 'compensable',
    canPreview: true,
  }),
  operation('desk.refund.cancel', 'Cancel a refund', { records: ['/refundId'] }),
  operation('desk.reply.send', 'Reply to a ticket', { records: ['/ticketId'] }),
  operation('desk.ticket.close-many', 'Close several tickets', { records: ['/ticketIds'], maxRecords: 5, blastRadius: 'batch' }),
]
