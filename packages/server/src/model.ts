import type { GatewayOptions } from '@tidegate/gateway'
import type { Configuration, SecretReference } from '@tidegate/project'
import { createModelProxy, type ModelProxy } from '@tidegate/tools-model'

/**
 * Opens the way to the models of hosts, where the project names any. Nothing is connected to yet.
 *
 * @throws ToolsModelError `proxy_base_url`.
 */
export function openHostModels({ hosts }: Pick<Configuration, 'hosts'>): ModelProxy | undefined {
  const models = hosts.flatMap(({ name: host, model }) => {
    if (model === undefined) return []
    const { format, baseUrl, apiKey, private: isPrivate, timeout: timeoutMs, price } = model
    return [{ host, format, baseUrl, isPrivate, timeoutMs, price, ...(apiKey === undefined ? {} : { secret: keyOf(host) }) }]
  })
  return models.length === 0 ? undefined : createModelProxy({ models })
}

/** Where the keys of these models come from. */
export function modelSecrets({ hosts }: Pick<Configuration, 'hosts'>): Readonly<Record<string, SecretReference>> {
  const keys = hosts.flatMap(({ name, model }) => (model?.apiKey === undefined ? [] : [[keyOf(name), model.apiKey] as const]))
  return Object.fromEntries(keys)
}

/** The name of the key of a host's model; no secret of a project can have it. */
function keyOf(host: string): string {
  return `hosts/${host}/model`
}

/** The endpoint at which hosts ask their models, where they have any. */
export function modelEndpoint(
  door: ModelProxy | undefined,
  of: Omit<NonNullable<GatewayOptions['model']>, 'door'>,
): Pick<GatewayOptions, 'model'> {
  return door === undefined ? {} : { model: { ...of, door } }
}
