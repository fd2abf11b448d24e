import type { ModelResult } from '@tidegate/kernel'

/** How tools are called on the wire: the protocol allows letters, digits, `_` and `-`, at most 64 of them. */
export interface ToolNames {
  toWire(name: string): string
  /** A name that was not offered comes back as it is: what the model invents is to be seen, and denied, as what it is. */
  fromWire(name: string): string
}

const MAX_LENGTH = 64

/** Names the tools of one request. `desk.refund.create` becomes `desk_refund_create`; two that would be the same are numbered. */
export function createToolNames(names: readonly string[]): ToolNames {
  const wire = new Map<string, string>()
  const ours = new Map<string, string>()
  for (const name of names) {
    if (wire.has(name)) continue
    const plain = spell(name)
    let unique = plain
    for (let n = 2; ours.has(unique); n++) unique = `${plain.slice(0, MAX_LENGTH - 1 - String(n).length)}_${n}`
    wire.set(name, unique)
    ours.set(unique, name)
  }
  return { toWire: (name) => wire.get(name) ?? spell(name), fromWire: (name) => ours.get(name) ?? name }
}

/** The result with our names for the tools that were called. */
export function renameCalls(result: ModelResult, names: ToolNames): ModelResult {
  if (result.kind !== 'calls') return result
  return { ...result, calls: result.calls.map((call) => ({ ...call, name: names.fromWire(call.name) })) }
}

function spell(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_LENGTH)
}
