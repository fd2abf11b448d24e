import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectRequest, Detection, HostAdapter } from '../adapter.ts'
import { configDigest } from '../config-digest.ts'
import type { ProofFile } from '../record.ts'
import { openScriptedModel } from '../scripted-model/scripted-model.ts'
import type { ProvePorts } from './prove.ts'
import { startProgram } from './start-program.ts'
import { isClosed, type SurfaceProof } from './surface.ts'

/**
 * Proves a connected host: starts it in a scratch copy of its state, as it is configured, with a model that follows a script, and fires a
 * canary through every way of acting that was detected. A way that the adapter does not fire at is `unfired`.
 */
export async function proveHost(
  adapter: HostAdapter,
  connection: ConnectRequest,
  detection: Detection,
  ports: Pick<ProvePorts, 'sightings' | 'tools' | 'note' | 'signal'>,
): Promise<readonly SurfaceProof[]> {
  const { prove } = adapter
  const missing = (why: string) => detection.surfaces.map((name): SurfaceProof => ({ name, state: 'unfired', detail: why }))
  if (prove === undefined) return missing(`nothing is known of how to prove ${adapter.title}`)
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'tidegate-prove-')))
  const model = await openScriptedModel()
  try {
    const proved = await prove({ connection, detection }, { ...ports, scratch, model, start: startProgram })
    const named = new Set(proved.map(({ name }) => name))
    return [...proved, ...missing('it was not fired at').filter(({ name }) => !named.has(name))]
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error))
  } finally {
    await model.close()
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** What a proof found out, as it is kept: it holds for this version and these files. */
export function proofFileOf(
  { name }: Pick<ConnectRequest, 'name'>,
  { kind }: Pick<HostAdapter, 'kind'>,
  detection: Detection,
  proved: { readonly surfaces: readonly SurfaceProof[]; readonly atMs: number; readonly configDigest: string },
): ProofFile {
  return {
    v: 1,
    ...{ name, kind, configDigest: proved.configDigest, atMs: proved.atMs },
    hostVersion: detection.version ?? '',
    surfaces: proved.surfaces.map((surface) => ({
      name: surface.name,
      intercepted: isClosed(surface),
      detail: `${surface.state}: ${surface.detail}`,
    })),
  }
}

/** The digest of the configuration that a detection is about. */
export function detectionDigest({ files }: Pick<Detection, 'files'>): string {
  return configDigest(files.map(({ file }) => file))
}
