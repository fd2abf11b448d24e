import { SandboxBwrapError } from '../error.ts'

/**
 * One step of a filter, of the few that we need of classic BPF. A jump names the label it leads to; only forwards, as the kernel demands.
 * The accumulator holds 32 bits.
 */
export type Step =
  /** Loads 32 bits of `struct seccomp_data`. */
  | { readonly kind: 'load'; readonly offset: number }
  | { readonly kind: 'and'; readonly value: number }
  | { readonly kind: 'equal' | 'greater' | 'anyBit'; readonly value: number; readonly to: string }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'answer'; readonly value: number }

const LOAD = 0x20
const AND = 0x54
const ANSWER = 0x06
const JUMPS = { equal: 0x15, greater: 0x25, anyBit: 0x45 } as const

const INSTRUCTION_BYTES = 8
const FARTHEST_JUMP = 255
const LONGEST_FILTER = 4096

/**
 * Translates steps into an array of `struct sock_filter`, little-endian, as `bwrap --seccomp` reads it. Throws `sandbox_filter` for a label
 * that is missing, behind or too far away: a filter that would do something else is never made.
 */
export function assemble(steps: readonly Step[]): Uint8Array {
  const labels = placeLabels(steps)
  const instructions = steps.filter((step) => step.kind !== 'label')
  if (instructions.length > LONGEST_FILTER) throw new SandboxBwrapError('sandbox_filter', 'the filter is too long for the kernel')
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [index, step] of instructions.entries()) {
    const { code, jump, operand } = encode(step, index, labels)
    view.setUint16(index * INSTRUCTION_BYTES, code, true)
    view.setUint8(index * INSTRUCTION_BYTES + 2, jump)
    view.setUint32(index * INSTRUCTION_BYTES + 4, operand >>> 0, true)
  }
  return bytes
}

type Instruction = Exclude<Step, { readonly kind: 'label' }>

/** Where each label leads, counted in instructions. */
function placeLabels(steps: readonly Step[]): ReadonlyMap<string, number> {
  const labels = new Map<string, number>()
  let index = 0
  for (const step of steps) {
    if (step.kind === 'label') labels.set(step.name, index)
    else index += 1
  }
  return labels
}

function encode(step: Instruction, index: number, labels: ReadonlyMap<string, number>) {
  switch (step.kind) {
    case 'load':
      return { code: LOAD, jump: 0, operand: step.offset }
    case 'and':
      return { code: AND, jump: 0, operand: step.value }
    case 'answer':
      return { code: ANSWER, jump: 0, operand: step.value }
    default:
      return { code: JUMPS[step.kind], jump: distance(step.to, index, labels), operand: step.value }
  }
}

function distance(label: string, index: number, labels: ReadonlyMap<string, number>): number {
  const target = labels.get(label)
  const skipped = target === undefined ? -1 : target - index - 1
  if (skipped >= 0 && skipped <= FARTHEST_JUMP) return skipped
  throw new SandboxBwrapError('sandbox_filter', `the filter jumps to "${label}", which is missing, behind or too far away`)
}
