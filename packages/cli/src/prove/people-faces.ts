import { type Client, ClientError } from '@tidegate/client'
import { OWN_COMMAND, environmentOf } from '../connect/environment.ts'
import { EXIT } from '../exit-code.ts'
import { findProject } from '../project/find-project.ts'
import { findToken } from '../project/find-token.ts'
import type { Shell } from '../shell.ts'
import { attempt, type FaceProof } from './own-faces.ts'

/** Our own ways in that belong to no host. */
export interface PeopleFaces {
  readonly client: Client
  readonly url: string
  readonly word: () => string
}

const CALL_MS = 30_000

/** Fires canaries at the doors for people and for other programs: triggers, the command line, the Authorization API. */
export async function provePeopleFaces(shell: Shell, { client, url, word }: PeopleFaces): Promise<readonly FaceProof[]> {
  return [
    await attempt('http-trigger', () => fireTrigger(client, word())),
    await attempt('cli', () => fireCommand(shell, client, word())),
    await attempt('authzen', () => fireEvaluation(shell, url, word())),
  ]
}

/** A workflow that nobody has declared: there is nothing that such an event could start. */
async function fireTrigger(client: Client, word: string): Promise<Omit<FaceProof, 'name'>> {
  try {
    const { run } = await client.trigger({ workflow: word, source: 'tidegate-doctor', event: word, input: {} })
    return { state: 'open', detail: `run ${run}: a workflow that is not declared was started` }
  } catch (error) {
    if (error instanceof ClientError && error.problem !== undefined)
      return { state: 'refused', detail: `only declared workflows are started (${error.problem.code})` }
    throw error
  }
}

async function fireCommand(shell: Shell, client: Client, word: string): Promise<Omit<FaceProof, 'name'>> {
  const [program, ...args] = OWN_COMMAND
  const { id } = await client.me()
  const words = [
    ...[...args, 'run', word, '--project', findProject(shell), '--source', 'tidegate-doctor', '--json'],
    ...(shell.options.tokenFile === undefined ? ['--as', id] : ['--token-file', shell.options.tokenFile]),
    ...(shell.options.server === undefined ? [] : ['--server', shell.options.server]),
  ]
  const { code, stdout } = await environmentOf(shell).run(program, words, { timeoutMs: CALL_MS })
  if (code === EXIT.ok) return { state: 'open', detail: `it started what is not declared: ${stdout.slice(0, 120)}` }
  return stdout.includes('unknown_workflow')
    ? { state: 'refused', detail: 'only declared workflows are started (unknown_workflow)' }
    : { state: 'unfired', detail: `the command line answered: ${stdout.trim().slice(0, 160)}` }
}

/** A question about what nobody has declared: its answer is no, and nothing is done by asking. */
async function fireEvaluation(shell: Shell, url: string, word: string): Promise<Omit<FaceProof, 'name'>> {
  const answer = await fetch(new URL('/access/v1/evaluation', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${findToken(shell, 'look')}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: word },
      action: { name: word },
      resource: { type: 'canary', id: word },
    }),
    signal: AbortSignal.any([shell.signal, AbortSignal.timeout(CALL_MS)]),
  })
  const text = await answer.text()
  if (!answer.ok) return { state: 'refused', detail: `answered ${answer.status}` }
  return text.includes('"decision":false')
    ? { state: 'refused', detail: 'what is not declared is denied' }
    : { state: 'open', detail: `what is not declared is permitted: ${text.slice(0, 120)}` }
}
