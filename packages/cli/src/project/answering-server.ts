import { createClient } from '@tidegate/client'
import { findServer, type RunningServer } from './running-server.ts'

const HEALTH_MS = 2_000

/**
 * The server of a project, if one answers. A killed server leaves its file behind, and another process may have its id by now (in a
 * container that is the rule), so that only an answer counts.
 */
export async function findAnsweringServer(project: string): Promise<RunningServer | undefined> {
  const server = findServer(project)
  if (server === undefined) return undefined
  const client = createClient({ url: server.url, timeoutMs: HEALTH_MS })
  try {
    await client.health()
    return server
  } catch {
    return undefined
  } finally {
    client.close()
  }
}
