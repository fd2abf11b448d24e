import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where compiled policies lie: outside of what is committed. */
export const OPA_FOLDER = fileURLToPath(new URL('../../results/opa/', import.meta.url))

/** The compiled policy of an engine; one for all sizes if the rules are data. */
export function wasmFile(engine: 'opa-wasm' | 'opa-wasm-rules', size?: number): string {
  return join(OPA_FOLDER, `${engine}${size === undefined ? '' : `-${size}`}.wasm`)
}
