import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the plugin exports. It is plain JavaScript, since OpenClaw loads it as it is. */
export interface PluginModule {
  readonly id: string
  readonly version: string
  register(api: unknown): void
}

/** What a hook that may stop a call returns. */
export interface HookResult {
  readonly params?: Readonly<Record<string, unknown>>
  readonly block?: boolean
  readonly blockReason?: string
}

type Handler = (event: Readonly<Record<string, unknown>>, ctx: Readonly<Record<string, unknown>>) => unknown

/** A host with one plugin: runs hooks as OpenClaw does. */
export interface FakeHost {
  readonly log: readonly string[]
  readonly hooks: readonly { readonly name: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly tokenFile: string
  call(tool: string, params: object, more?: { readonly ctx?: object; readonly id?: string }): Promise<HookResult | undefined>
  /** Runs a hook that only watches. */
  emit(name: string, event: object, ctx?: object): void
  /** Registers the plugin again, as the host does when it loads it for another purpose. */
  registerAgain(mode: string): void
  close(): void
}

const PLUGIN = new URL('../plugin/index.js', import.meta.url).href
export const TOKEN = 'host-token-0123456789abcdef'

/** Loads the plugin into a host of its own; `configuration` is laid over one that works. */
export async function loadPlugin(
  endpoint: string,
  configuration: object = {},
  { mode = 'full' }: { readonly mode?: string } = {},
): Promise<FakeHost> {
  const { register } = (await import(PLUGIN)) as PluginModule
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-openclaw-'))
  const tokenFile = join(directory, 'host.token')
  writeFileSync(tokenFile, `${TOKEN}\n`)
  chmodSync(tokenFile, 0o600)
  const log: string[] = []
  const hooks: { name: string; handler: Handler; options: Record<string, unknown> }[] = []
  const line = (level: string) => (message: string) => void log.push(`${level}: ${message}`)
  const api = (registrationMode: string) => ({
    registrationMode,
    pluginConfig: { endpoint, tokenFile, waitMs: 0, ...configuration },
    runtime: { version: '2026.9.6' },
    logger: { info: line('info'), warn: line('warn'), error: line('error') },
    on: (name: string, handler: Handler, options: Record<string, unknown> = {}) => void hooks.push({ name, handler, options }),
  })
  register(api(mode))
  const emit: FakeHost['emit'] = (name, event, ctx = {}) => {
    for (const hook of hooks.filter((each) => each.name === name)) hook.handler(event as never, ctx as never)
  }
  let calls = 0
  return {
    log,
    hooks,
    tokenFile,
    async call(tool, params, { ctx = { sessionKey: 'agent:main:main' }, id } = {}) {
      calls += 1
      const toolCallId = id ?? `call-${calls}`
      const hook = hooks.find(({ name }) => name === 'before_tool_call')
      return (await hook?.handler({ toolName: tool, params, toolCallId }, { toolName: tool, toolCallId, ...ctx })) as
        | HookResult
        | undefined
    },
    emit,
    registerAgain: (again) => register(api(again)),
    close() {
      emit('gateway_stop', {})
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
