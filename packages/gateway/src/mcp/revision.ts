/** Revisions with `initialize` and sessions, the newest first. */
export const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26'] as const
export type LegacyRevision = (typeof LEGACY_REVISIONS)[number]

/** The stateless revision: every request says its version and what its client can do. */
export const MODERN_REVISION = '2026-07-28'

/** Everything that is spoken here, the newest first. */
export const REVISIONS: readonly string[] = [MODERN_REVISION, ...LEGACY_REVISIONS]

/** Names in `_meta` that the protocol has reserved. */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  server: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const

/** The extension for results that take long (SEP-2663). */
export const TASKS = 'io.modelcontextprotocol/tasks'

/** Names in `_meta` that are ours. */
export const OURS = {
  run: 'dev.tidegate/run',
  answer: 'dev.tidegate/answer',
  approval: 'dev.tidegate/approval',
  findings: 'dev.tidegate/findings',
  complete: 'dev.tidegate/complete',
  would: 'dev.tidegate/would',
  /** What a client of the stateless revision may call its conversation. */
  session: 'dev.tidegate/session',
} as const

/** The argument in which a host's hook hands over its ticket. */
export const TICKET = '_tidegate_ticket'

/** True for a revision with sessions. */
export function isLegacy(version: string): version is LegacyRevision {
  return (LEGACY_REVISIONS as readonly string[]).includes(version)
}
