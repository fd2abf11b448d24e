import type { Detection } from './adapter.ts'
import { configDigest } from './config-digest.ts'
import type { ProofFile } from './record.ts'

/** Whether a host may be enforced, and if not, why, for people. */
export type Proven = { readonly state: 'proven' } | { readonly state: 'unproven'; readonly why: string }

/**
 * Decides whether a proof covers the host as it is now: this version, this configuration, and every way of acting that was detected.
 * Silence about a surface is not a proof of it.
 */
export function judgeProof(proof: ProofFile | undefined, detection: Detection): Proven {
  const unproven = (why: string): Proven => ({ state: 'unproven', why })
  if (proof === undefined) return unproven('nothing has proved yet that every call comes through Tidegate')
  if (proof.hostVersion !== (detection.version ?? ''))
    return unproven(
      `version ${proof.hostVersion || 'unknown'} was proved, and ${detection.version ?? 'an unknown one'} is installed`,
    )
  if (proof.configDigest !== configDigest(detection.files.map(({ file }) => file)))
    return unproven('the configuration has changed since it was proved')
  const intercepted = new Set(proof.surfaces.filter((surface) => surface.intercepted).map(({ name }) => name))
  const missing = detection.surfaces.filter((name) => !intercepted.has(name))
  const open = proof.surfaces.filter((surface) => !surface.intercepted).map(({ name }) => name)
  const both = [...new Set([...missing, ...open])]
  return both.length === 0
    ? { state: 'proven' }
    : unproven(`these ways are not known to come through Tidegate: ${both.join(', ')}`)
}
