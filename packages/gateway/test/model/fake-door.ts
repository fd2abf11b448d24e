import type { HostAnswer } from '@tidegate/runtime'
import { createGateway, type Gateway, type ModelDoor, type ModelOptions } from '../../src/index.ts'
import { createFakeTidegate } from '../fake-tidegate.ts'
import { authenticate } from '../people.ts'

/** The tokens of the hosts of these tests; `bare` has no model. */
export const HOST_TOKENS = {
  claw: `claw-${'w'.repeat(40)}`,
  other: `other-${'o'.repeat(40)}`,
  bare: `bare-${'b'.repeat(40)}`,
} as const

type Question = Parameters<ModelDoor['open']>[0]
type Performed = Parameters<ModelOptions['desk']['perform']>[0]

/** What the desk answers to a question that was asked for; it may speak to the host before. */
export type Play = (question: Question, signal: AbortSignal | undefined) => Promise<HostAnswer>

/** A gateway whose door and desk a test plays. */
export interface StartedModel {
  readonly gateway: Gateway
  readonly url: string
  readonly port: number
  readonly questions: Question[]
  readonly performed: Performed[]
  /** Questions that can still be sent. */
  readonly open: Set<Question>
  readonly defects: unknown[]
}

export const DONE: HostAnswer = { kind: 'done', run: 'run-1', output: {}, findings: [], complete: true }

export async function startModel(play: Play, more: Partial<ModelOptions> = {}): Promise<StartedModel> {
  const questions: Question[] = []
  const performed: Performed[] = []
  const open = new Set<Question>()
  const defects: unknown[] = []
  const door: ModelDoor = {
    serves: (host) => host !== 'bare',
    open(question) {
      if (question.path !== '/v1/chat/completions') return { kind: 'unprepared', why: 'path', message: 'Here is only one path.' }
      questions.push(question)
      open.add(question)
      const args = { n: questions.length - 1 }
      return { kind: 'opened', operation: 'model.chat', arguments: args, timeoutMs: 1_000, close: () => open.delete(question) }
    },
    errorOf: (host, code, message, status) => ({ host, code, message, status }),
  }
  const gateway = createGateway({
    tidegate: createFakeTidegate(),
    authenticate,
    version: '0.1.0',
    onDefect: (error) => defects.push(error),
    model: {
      door,
      desk: {
        perform(call, { signal }) {
          performed.push(call)
          const question = questions[(call.arguments as { n: number }).n]
          return question === undefined ? Promise.reject(new Error('no such question')) : play(question, signal)
        },
      },
      authenticateHost(token) {
        const found = Object.entries(HOST_TOKENS).find(([, each]) => each === token)
        return found === undefined ? undefined : { host: found[0] }
      },
      ...more,
    },
  })
  const { url, port } = await gateway.listen()
  return { gateway, url, port, questions, performed, open, defects }
}
