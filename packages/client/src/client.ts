import type {
  WireApproval,
  WireCanarySighting,
  WireDoctor,
  WireChangeAnswer,
  WireEndorseAnswer,
  WireEndorsement,
  WireEndorseRequest,
  WireExportAnswer,
  WireExportRequest,
  WireHostView,
  WireObservedReport,
  WireLedgerHead,
  WireLedgerVerification,
  WireLiftAnswer,
  WireLiftRequest,
  WireMe,
  WireOperation,
  WirePolicyApplyRequest,
  WirePolicyExplanation,
  WirePolicyPlan,
  WirePolicyPlanRequest,
  WirePolicyRollbackRequest,
  WirePolicyTexts,
  WirePolicyVersion,
  WireCalibration,
  WireMeter,
  WireQueueItem,
  WireReceipt,
  WireResolveAnswer,
  WireRunDetail,
  WireRunHead,
  WireStop,
  WireStopReport,
  WireStopRequest,
  WireTool,
  WireToolAcceptRequest,
  WireToolChange,
  WireTriggerAnswer,
  WireTriggerRequest,
  WireUndoAnswer,
  WireVoteAnswer,
  WireVoteRequest,
  WireWorkflow,
} from '@tidegate/protocol'

/** Where the gateway is, and who asks. */
export interface ClientOptions {
  /** `http://127.0.0.1:7070`, as in server.json. */
  readonly url: string
  /** Left out: only `health` is answered. */
  readonly token?: string
  /** For one answer; 35 s unless told. */
  readonly timeoutMs?: number
  /** Ends every call in flight. */
  readonly signal?: AbortSignal
}

/** Which runs to list. */
export interface RunsQuery {
  readonly state?: readonly WireRunHead['state'][]
  readonly workflow?: string
  /** Runs opened before this one. */
  readonly before?: string
  readonly limit?: number
}

/**
 * Everything that the gateway can be asked, typed. Each call resolves to a checked answer, or rejects with a ClientError: `problem`
 * when the gateway says no (its code is in `problem.code`).
 */
export interface Client {
  health(): Promise<{ readonly status: 'ok' }>
  /** Who the token belongs to. */
  me(): Promise<WireMe>
  trigger(request: WireTriggerRequest): Promise<WireTriggerAnswer>
  runs(query?: RunsQuery): Promise<readonly WireRunHead[]>
  run(id: string): Promise<WireRunDetail>
  /** Resolves when the run rests or waits, or when the time (at most 60 s) is up. */
  settled(id: string, waitMs: number): Promise<WireRunHead>
  undo(run: string, why: string): Promise<WireUndoAnswer>
  approvals(state: 'open' | 'all'): Promise<readonly WireApproval[]>
  approval(id: string): Promise<WireApproval>
  vote(id: string, request: WireVoteRequest): Promise<WireVoteAnswer>
  /** Endorses values for the rest of a run. */
  endorse(run: string, request: WireEndorseRequest): Promise<WireEndorseAnswer>
  /** What was endorsed in a run, by whom and why. */
  endorsements(run: string): Promise<readonly WireEndorsement[]>
  stops(): Promise<readonly WireStop[]>
  stop(request: WireStopRequest): Promise<WireStopReport>
  lift(request: WireLiftRequest): Promise<WireLiftAnswer>
  queue(all: boolean): Promise<readonly WireQueueItem[]>
  /** What became of what runs were sure of. */
  calibration(workflow?: string): Promise<WireCalibration>
  /** Every declared meter with its limits, and what it shows now. */
  limits(): Promise<readonly WireMeter[]>
  limit(name: string): Promise<WireMeter>
  resolve(item: string, why: string): Promise<WireResolveAnswer>
  ledgerHead(): Promise<WireLedgerHead>
  /** Takes as long as the ledger is long. */
  ledgerVerify(): Promise<WireLedgerVerification>
  ledgerExport(request: WireExportRequest): Promise<WireExportAnswer>
  receipt(of: { readonly index: number } | { readonly run: string }): Promise<WireReceipt>
  tools(): Promise<readonly { readonly tool: string; readonly operations: readonly WireOperation[] }[]>
  tool(id: string): Promise<WireTool>
  workflows(): Promise<readonly WireWorkflow[]>
  workflow(name: string): Promise<WireWorkflow>
  /** What a set of policies would change; takes as long as the backtest. */
  policyPlan(request: WirePolicyPlanRequest): Promise<WirePolicyPlan>
  policyApply(request: WirePolicyApplyRequest): Promise<WireChangeAnswer>
  policyRollback(request: WirePolicyRollbackRequest): Promise<WireChangeAnswer>
  policyVersions(): Promise<readonly WirePolicyVersion[]>
  /** The one in force when none is named. */
  policyVersion(version?: string): Promise<WirePolicyTexts>
  policyExplain(run: string, action?: number): Promise<WirePolicyExplanation>
  toolChanges(): Promise<readonly WireToolChange[]>
  toolAccept(request: WireToolAcceptRequest): Promise<WireChangeAnswer>
  /** The agents that are not ours, and what is known of them since the server started. */
  hosts(): Promise<readonly WireHostView[]>
  /** What would have been, had the hosts that are only observed been governed. */
  observed(query: { readonly host?: string; readonly sinceMs?: number }): Promise<WireObservedReport>
  /** The calls in the ledger in which a canary stands that was fired at a host. */
  canaries(host: string, query: { readonly nonce: string; readonly sinceMs: number }): Promise<readonly WireCanarySighting[]>
  /** What only the server can look at: the sandbox, upstream MCP servers. */
  doctor(): Promise<WireDoctor>
  /** Closes the connections that are kept. */
  close(): void
}
