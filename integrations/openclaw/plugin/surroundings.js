/** Where OpenClaw keeps the hooks of all plugins, in both versions that we support. Only looked at, never changed. */
const REGISTRY = Symbol.for('openclaw.plugins.hook-runner-global-state')

/**
 * The other plugins that may change or stop a call, as `name`, or `name!` for one that comes after us and so has the last word. Undefined
 * when the host does not tell: nobody knows then, and that is not the same as nobody.
 */
export function othersBeforeToolCall(ownId) {
  const hooks = globalThis[REGISTRY]?.registry?.typedHooks
  if (!Array.isArray(hooks)) return undefined
  const ours = hooks.filter((hook) => hook?.hookName === 'before_tool_call')
  const own = ours.findIndex((hook) => hook.pluginId === ownId)
  const others = ours.flatMap((hook, at) => {
    if (hook.pluginId === ownId) return []
    return [`${String(hook.pluginId)}${hook.priority === Number.NEGATIVE_INFINITY && at > own ? '!' : ''}`]
  })
  return [...new Set(others)].sort().slice(0, 100)
}
