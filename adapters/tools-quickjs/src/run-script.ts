import { newQuickJSWASMModule, type QuickJSContext, shouldInterruptAfterDeadline } from 'quickjs-emscripten'

/** What one piece of JavaScript is given, and held to. */
export interface ScriptRequest {
  /** The body of a function of `input`: it returns its result. */
  readonly code: string
  /** JSON text. */
  readonly input: string
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly outputBytes: number
}

/** What became of it. `value` is JSON text; `message` is the script's own words, cut. */
export type ScriptResult =
  | { readonly kind: 'returned'; readonly value: string }
  | { readonly kind: 'threw'; readonly message: string }
  | { readonly kind: 'stopped'; readonly because: 'time' | 'memory' | 'output' }

const STACK_BYTES = 262_144
const MAX_MESSAGE = 2_000

/**
 * Runs one piece of JavaScript in a WebAssembly module of its own: no time, no randomness that matters, no files, no network, no other scripts.
 * What it gets and gives are texts of JSON, so that nothing of ours is ever inside.
 */
export async function runScript(request: ScriptRequest): Promise<ScriptResult> {
  const quickjs = await newQuickJSWASMModule()
  const runtime = quickjs.newRuntime()
  runtime.setMemoryLimit(request.memoryBytes)
  runtime.setMaxStackSize(STACK_BYTES)
  const deadline = Date.now() + request.timeoutMs
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(deadline))
  const context = runtime.newContext()
  try {
    return evaluate(context, request, deadline)
  } catch {
    // The engine gives up in its own way when its memory is used up; the module is thrown away with it.
    return { kind: 'stopped', because: 'memory' }
  }
}

function evaluate(context: QuickJSContext, { code, input, outputBytes }: ScriptRequest, deadline: number): ScriptResult {
  const given = context.newString(input)
  context.setProp(context.global, '__input', given)
  given.dispose()
  const whole = `JSON.stringify((function (input) { "use strict";\n${code}\n})(JSON.parse(__input)))`
  const evaluated = context.evalCode(whole, 'script.js')
  if (evaluated.error !== undefined) {
    const error: unknown = context.dump(evaluated.error)
    const message = messageOf(error)
    if (Date.now() >= deadline && message.includes('interrupted')) return { kind: 'stopped', because: 'time' }
    return message.includes('out of memory') ? { kind: 'stopped', because: 'memory' } : { kind: 'threw', message }
  }
  const value: unknown = context.dump(evaluated.value)
  evaluated.value.dispose()
  const text = typeof value === 'string' ? value : 'null' // JSON.stringify answers undefined for a function
  return Buffer.byteLength(text) > outputBytes ? { kind: 'stopped', because: 'output' } : { kind: 'returned', value: text }
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error).slice(0, MAX_MESSAGE)
  const name = 'name' in error ? `${String(error.name)}: ` : ''
  return `${name}${String(error.message)}`.slice(0, MAX_MESSAGE)
}
