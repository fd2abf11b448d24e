import { type Client, createClient } from '@tidegate/client'
import { CliError } from './error.ts'
import { findProject } from './project/find-project.ts'
import { findToken, type Purpose } from './project/find-token.ts'
import { findServer } from './project/running-server.ts'
import type { Shell } from './shell.ts'

/** Opens a client of the server that is meant, lets `work` use it, and closes it. */
export async function withClient<T>(shell: Shell, purpose: Purpose, work: (client: Client) => Promise<T>): Promise<T> {
  const url = shell.options.server ?? urlOf(shell)
  const client = createClient({ url, token: findToken(shell, purpose), signal: shell.signal })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

function urlOf(shell: Shell): string {
  const project = findProject(shell)
  const server = findServer(project)
  if (server === undefined)
    throw new CliError('server_not_running', `No server runs for ${project}. Start it with \`tidegate up\`.`)
  return server.url
}
