import { isObject, type JsonObject } from '@tidegate/kernel'
import { type McpGround, serverInfo } from './ground.ts'
import { META, TASKS } from './revision.ts'
import { type RpcId, rpcResult } from './rpc.ts'

/** What is missing when a client uses tasks without saying that it knows them. */
export const TASKS_NEEDED = { requiredCapabilities: { extensions: { [TASKS]: {} } } }

/** True when a client says that it knows tasks. */
export function supportsTasks({ extensions }: JsonObject): boolean {
  return isObject(extensions) && isObject(extensions[TASKS])
}

/** A response that is final: with the type that this revision wants, and with our name. */
export function complete(id: RpcId, result: object, ground: McpGround): object {
  const own = '_meta' in result && typeof result._meta === 'object' ? result._meta : {}
  return rpcResult(id, { resultType: 'complete', ...result, _meta: { ...own, [META.server]: serverInfo(ground) } })
}
