import type { HostAdapter, HostKind } from '@tidegate/connect'

/** What the command line knows of each kind of host. The code behind it is loaded only when it is connected. */
export interface KnownHost {
  /** The name that it gets unless another is chosen. */
  readonly name: string
  readonly load: () => Promise<HostAdapter>
}

export const KNOWN_HOSTS: Readonly<Record<HostKind, KnownHost>> = {
  'claude-code': { name: 'claude', load: async () => (await import('@tidegate/claude-code/adapter')).createClaudeCodeAdapter() },
  openclaw: { name: 'openclaw', load: async () => (await import('@tidegate/openclaw/adapter')).createOpenClawAdapter() },
  mcp: { name: 'mcp', load: async () => (await import('@tidegate/connect')).createMcpAdapter() },
}

/** Whether a word names a kind of host. */
export function isHostKind(word: string): word is HostKind {
  return Object.hasOwn(KNOWN_HOSTS, word)
}
