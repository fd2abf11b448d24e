import type { HostView } from './host.ts'

/** What a proof holds for: this version, and this configuration. */
export interface ProvenState {
  readonly hostVersion: string
  readonly configDigest: string
  /** True when every way of acting was found to come through. */
  readonly isWhole: boolean
}

/** Something about a host that people should look at. */
export interface HostNotice {
  /** `unproven`: it may act in ways that nobody has proved to come through. `silent`: nothing comes any more. */
  readonly kind: 'unproven' | 'silent'
  readonly detail: string
}

/** What is known besides the view of a host. */
export interface NoticeGround {
  readonly proof: ProvenState | undefined
  readonly nowMs: number
  /** When the server began to listen: before that nothing could be heard. */
  readonly sinceMs: number
  /** How long a host may say nothing; null for one that only speaks when somebody works with it. */
  readonly silentAfterMs: number | null
}

/**
 * Tells what to notice about a host: that it is another than was proved, and that it has fallen silent. Pure. A host that is only observed
 * and was never proved is no news.
 */
export function noticesOf(view: HostView, { proof, nowMs, sinceMs, silentAfterMs }: NoticeGround): readonly HostNotice[] {
  const unproven = whyUnproven(view, proof)
  const heardMs = Math.max(view.lastSeenMs ?? 0, sinceMs)
  const isSilent = silentAfterMs !== null && nowMs - heardMs > silentAfterMs
  const minutes = silentAfterMs === null ? 0 : Math.round(silentAfterMs / 60_000)
  return [
    ...(unproven === undefined ? [] : [{ kind: 'unproven', detail: unproven } as const]),
    ...(isSilent ? [{ kind: 'silent', detail: `nothing was heard of it for more than ${minutes} min` } as const] : []),
  ]
}

function whyUnproven({ mode, hostVersion, configDigest }: HostView, proof: ProvenState | undefined): string | undefined {
  if (proof === undefined) return mode === 'enforce' ? 'it is enforced, and was never proved' : undefined
  if (hostVersion !== null && hostVersion !== proof.hostVersion)
    return `version ${proof.hostVersion || 'unknown'} was proved, and ${hostVersion} runs`
  if (configDigest !== null && configDigest !== proof.configDigest) return 'its configuration has changed since it was proved'
  return proof.isWhole || mode === 'observe' ? undefined : 'the proof left ways open'
}
