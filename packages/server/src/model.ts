import type { GatewayOptions } from '@tidegate/gateway'
import type { Configuration, SecretReference } from '@tidegate/project'
import { createModelProxy, type ModelProxy } from '@tidegate/tools-model'

/** The models of hosts, and their keys by name. */
export interface HostModels {
  readonly proxy: ModelProxy
  /** By the names under which the operation declares them: no secret of a project can have such a name. */
  readonly secrets: Readonly<Record<string, SecretReference>>
}

/**
 * Opens the way to the models of hosts, where the project names any. Nothing is connected to yet.
 *
 * @throws ToolsModelError `proxy_base_url`.
 */
export function openHostModels({ hosts }: Pick<Configuration, 'hosts'>): HostModels | undefined {
  const secrets: Record<string, SecretReference> = {}
  const models = hosts.flatMap(({ name: host, model }) => {
    if (model === undefined) return []
    const { format, baseUrl, apiKey, private: isPrivate, timeout: timeoutMs, price } = model
    const secret = `hosts/${host}/model`
    if (apiKey !== undefined) secrets[secret] = apiKey
    return [{ host, format, baseUrl, isPrivate, timeoutMs, price, ...(apiKey === undefined ? {} : { secret }) }]
  })
  return models.length === 0 ? undefined : { proxy: createModelProxy({ models }), secrets }
}

/** The endpoint at which hosts ask their models, where they have any. */
export function modelEndpoint(
  models: HostModels | undefined,
  of: Pick<NonNullable<GatewayOptions['model']>, 'desk' | 'authenticateHost'>,
): Pick<GatewayOptions, 'model'> {
  return models === undefined ? {} : { model: { ...of, door: models.proxy } }
}
