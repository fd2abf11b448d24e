import { expect, test } from 'vitest'

/** As much of the global as this test needs; the types of Node do not have it. */
interface WebAssemblyGlobal {
  Instance: new (module: object, imports: object) => { readonly exports: { readonly memory?: { readonly buffer: ArrayBuffer } } }
}

/** Remembers the memory of every WebAssembly instance created from here on. Memory grows and never shrinks: this is its size. */
function watchWasm(): () => number {
  const memories: { readonly buffer: ArrayBuffer }[] = []
  // Sound: every host that runs Cedar has this global, and the interface above is a part of its specification.
  const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }
  wasm.Instance = class extends wasm.Instance {
    constructor(module: object, imports: object) {
      super(module, imports)
      if (this.exports.memory !== undefined) memories.push(this.exports.memory)
    }
  }
  return () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)
}

test('20,000 different questions leave the memory of Cedar flat', async () => {
  const wasmBytes = watchWasm()
  const { ASK, DENY, DRY, engineOf, PERMIT, requestOf } = await import('./desk.ts')
  const [hard, soft] = [engineOf(PERMIT + DENY, 64), engineOf(PERMIT + DRY + ASK, 64)]
  const ask = (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      const verdict = (i % 10 === 0 ? soft : hard).evaluate(requestOf({ arguments: { amountMinor: i } }, { user: `user:${i}` }))
      if (verdict.kind !== 'forbidden') throw new Error(`question ${i} was ${verdict.kind}`)
    }
    return wasmBytes()
  }
  const warm = ask(0, 500)
  expect(warm).toBeGreaterThan(1024 * 1024)
  expect(ask(500, 20_500)).toBe(warm)
})
