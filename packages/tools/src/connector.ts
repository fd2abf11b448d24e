import type {
  Connector,
  ConnectorCall,
  ConnectorFailure,
  ConnectorResult,
  Json,
  Operation,
  Reconciliation,
  ShapeIssue,
} from '@tidegate/kernel'
import { z } from 'zod'
import { runUntil, type Timed } from './deadline.ts'
import { failed, type OperationDeclaration, type ToolCall, type Verification } from './declaration.ts'
import { findForeign } from './plain-data.ts'
import { createSecretScope, type SecretScope } from './secret-scope.ts'
import { OUTPUT_LIMITS } from './shape.ts'

/** An operation with the functions behind it. */
export interface BoundOperation {
  readonly operation: Operation
  readonly functions: Pick<OperationDeclaration, 'execute' | 'preview' | 'reconcile' | 'verify'>
}

/**
 * Creates the connector of a tool. It stands between the runtime and code that somebody wrote in five minutes:
 *
 * 1. A call ends within its time and {@link runUntil}'s grace, whatever the function does.
 * 2. What a function throws, or answers in no known form, is a failure; of a write it is `unknown` whether it had an effect (I4).
 * 3. An output that does not fit its schema, or is too large, is never passed on. A write whose answer is garbage is `unknown`: the
 *    effect happened or not regardless of the answer, so the runtime looks.
 * 4. Reads and previews leave nothing behind: an `unknown` of theirs is `safe`.
 * 5. No secret leaves (I8): messages are cleaned, and an output that holds one is refused.
 *
 * It adds and strips nothing else; hiding places in texts are the business of the runtime.
 */
export function createConnector(operations: readonly BoundOperation[]): Connector {
  const byId = new Map(operations.map((bound) => [bound.operation.id, bound]))
  return {
    async execute(call) {
      const bound = byId.get(call.operation)
      if (bound === undefined) return undeclared(call)
      const scope = createSecretScope(call, bound.operation.secrets)
      const timed = await start(bound, call, scope, (toolCall) => bound.functions.execute(toolCall))
      const result = resultOf(timed, scope)
      const checked = result.kind === 'done' ? fit(result, bound.operation, scope) : result
      return bound.operation.mutability === 'read' ? withoutEffect(checked) : checked
    },
    async preview(call) {
      const bound = byId.get(call.operation)
      const preview = bound?.functions.preview?.bind(bound.functions)
      if (bound === undefined || preview === undefined) return bound === undefined ? undeclared(call) : cannot(call, 'preview')
      const scope = createSecretScope(call, bound.operation.secrets)
      const result = resultOf(await start(bound, call, scope, preview), scope)
      return withoutEffect(result.kind === 'done' ? plainResult(result, scope) : result)
    },
    async reconcile(call) {
      const bound = byId.get(call.operation)
      const reconcile = bound?.functions.reconcile?.bind(bound.functions)
      if (bound?.operation.mutability === 'read') return { kind: 'absent' }
      if (bound === undefined || reconcile === undefined)
        return { kind: 'unknown', message: `${call.operation} declares no way to look.` }
      const scope = createSecretScope(call, bound.operation.secrets)
      return reconciliationOf(await start(bound, call, scope, reconcile), bound.operation, scope)
    },
    async verify(call, output) {
      const bound = byId.get(call.operation)
      const verify = bound?.functions.verify?.bind(bound.functions)
      if (bound === undefined || verify === undefined)
        return { holds: false, detail: `${call.operation} declares no way to verify.` }
      const scope = createSecretScope(call, bound.operation.secrets)
      // Sound: the output is what this operation's own schema accepted when it was recorded.
      const given = output as Record<string, Json>
      return verificationOf(await start(bound, call, scope, (toolCall) => verify(toolCall, given)), scope)
    },
  }
}

function start<T>(
  { operation }: BoundOperation,
  call: ConnectorCall,
  scope: SecretScope,
  work: (call: ToolCall<Record<string, Json>>) => Promise<T>,
): Promise<Timed<T>> {
  const timeoutMs = Math.max(1, Math.min(call.timeoutMs, operation.timeoutMs))
  // Sound: admitted arguments have passed the input shape of this operation, which is an object.
  const args = call.arguments as Record<string, Json>
  return runUntil(timeoutMs, (signal) =>
    work({
      operation: call.operation,
      arguments: args,
      effectId: call.effectId,
      ...(operation.idempotency === 'key' ? { idempotencyKey: call.effectId } : {}),
      attempt: call.attempt,
      timeoutMs,
      signal,
      secret: scope.secret,
    }),
  )
}

const FAILURE = z.strictObject({
  kind: z.literal('failed'),
  failure: z.enum(['timeout', 'unavailable', 'semantic', 'invalid_output', 'refused']),
  retry: z.enum(['never', 'safe', 'unknown']),
  message: z.string(),
  code: z.string().max(200).optional(),
  retryAfterMs: z.number().min(0).max(86_400_000).optional(),
})

function resultOf(timed: Timed<ConnectorResult>, scope: SecretScope): ConnectorResult {
  if (timed.kind === 'late') return failed({ failure: 'timeout', retry: 'unknown', message: 'No answer came in time.' })
  if (timed.kind === 'threw')
    return failed({
      failure: 'unavailable',
      retry: 'unknown',
      message: scope.clean(`The tool broke off: ${wordsOf(timed.error)}`),
    })
  const answer: unknown = timed.value
  if (typeof answer === 'object' && answer !== null && 'kind' in answer) {
    if (answer.kind === 'done' && 'output' in answer && 'complete' in answer && typeof answer.complete === 'boolean') {
      // Sound: whether the output is plain JSON is looked at before anybody gets it.
      return { kind: 'done', output: answer.output as Json, complete: answer.complete }
    }
    const failure = FAILURE.safeParse(answer)
    if (failure.success) return cleanFailure(failure.data, scope)
  }
  return invalid('The tool answered in no known form. Return done(...) or failed(...).')
}

function cleanFailure({ code, retryAfterMs, ...failure }: z.output<typeof FAILURE>, scope: SecretScope): ConnectorFailure {
  return {
    ...failure,
    message: scope.clean(failure.message),
    ...(code === undefined ? {} : { code: scope.clean(code).slice(0, 100) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** Holds a done call against the declared output. */
function fit(result: ConnectorResult & { kind: 'done' }, { output }: Operation, scope: SecretScope): ConnectorResult {
  const parsed = output.parse(result.output)
  if (!parsed.ok) return invalid(`The answer does not fit what the operation declares: ${scope.clean(sayIssues(parsed.issues))}`)
  if (scope.leaks(parsed.value)) return invalid('The answer holds a secret of this call and is not passed on.')
  return { ...result, output: parsed.value }
}

function plainResult(result: ConnectorResult & { kind: 'done' }, scope: SecretScope): ConnectorResult {
  const issue = findForeign(result.output, OUTPUT_LIMITS)
  if (issue !== undefined) return invalid(`The preview is no plain data: ${scope.clean(sayIssues([issue]))}`)
  if (scope.leaks(result.output)) return invalid('The preview holds a secret of this call and is not passed on.')
  return result
}

function reconciliationOf(timed: Timed<Reconciliation>, operation: Operation, scope: SecretScope): Reconciliation {
  const unknown = (message: string): Reconciliation => ({ kind: 'unknown', message: scope.clean(message) })
  if (timed.kind === 'late') return unknown('The look-up did not answer in time.')
  if (timed.kind === 'threw') return unknown(`The look-up broke off: ${wordsOf(timed.error)}`)
  const found = timed.value
  if (found?.kind === 'absent') return { kind: 'absent' }
  if (found?.kind === 'unknown') return unknown(String(found.message))
  if (found?.kind !== 'happened' && found?.kind !== 'doubled') return unknown('The look-up answered in no known form.')
  const fitting = fit({ kind: 'done', output: found.output, complete: true }, operation, scope)
  if (fitting.kind === 'failed') return unknown(`Something was found, but it is not usable. ${fitting.message}`)
  if (found.kind === 'happened') return { kind: 'happened', output: fitting.output }
  if (!Number.isSafeInteger(found.count) || found.count < 2) return unknown('The look-up says doubled, but not how often.')
  return { kind: 'doubled', count: found.count, output: fitting.output }
}

/** What could not be looked at does not hold. */
function verificationOf(timed: Timed<Verification>, scope: SecretScope): Verification {
  if (timed.kind === 'late') return { holds: false, detail: 'Could not be looked at: no answer came in time.' }
  if (timed.kind === 'threw') return { holds: false, detail: scope.clean(`Could not be looked at: ${wordsOf(timed.error)}`) }
  const { value } = timed
  if (typeof value?.holds !== 'boolean' || typeof value.detail !== 'string') {
    return { holds: false, detail: 'Could not be looked at: verify answered in no known form.' }
  }
  return { holds: value.holds, detail: scope.clean(value.detail) }
}

function withoutEffect(result: ConnectorResult): ConnectorResult {
  return result.kind === 'failed' && result.retry === 'unknown' ? { ...result, retry: 'safe' } : result
}

function invalid(message: string): ConnectorFailure {
  return failed({ failure: 'invalid_output', retry: 'unknown', message })
}

function undeclared({ operation }: ConnectorCall): ConnectorFailure {
  return failed({
    failure: 'refused',
    retry: 'never',
    message: `This tool has no operation ${operation}.`,
    code: 'operation_undeclared',
  })
}

function cannot({ operation }: ConnectorCall, what: string): ConnectorFailure {
  return failed({ failure: 'refused', retry: 'never', message: `${operation} declares no ${what}.`, code: `${what}_undeclared` })
}

function sayIssues(issues: readonly ShapeIssue[]): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => `${path || '(root)'}: ${message}`)
    .join('; ')
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'something that is no error was thrown'
}
