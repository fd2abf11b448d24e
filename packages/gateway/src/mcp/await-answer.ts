import type { HostAnswer, HostCall } from '@tidegate/runtime'
import type { McpDesk } from './desk.ts'

/** A question to people that a call waits for. */
export interface Asked {
  readonly approval: string
  readonly run: string
  readonly deadlineMs: number
}

/** Asks whoever waits whether to go on waiting: then the call may take its full time. What they say approves nothing. */
export interface Confirmation {
  ask(asked: Asked): Promise<boolean>
  /** The question is not open any more. */
  drop(): void
}

/** Whoever waits for the answer, and how patient they are. */
export interface Waiter {
  readonly signal: AbortSignal
  /** Called when the waiting ends before the call does: nobody waits for it any more. */
  readonly giveUp: () => void
  /** For any call, in all. */
  readonly mostMs: number
  /** Once people are asked; then the answer is `pending`. */
  readonly askedMs: number
  /** Between two calls of {@link beat}. */
  readonly beatMs: number
  /** Told that it goes on; `asked` when it is people that are waited for. */
  readonly beat?: (asked: Asked | undefined) => void
  readonly confirm?: Confirmation
}

/** A call of one of our tools. */
export type ToolCall = Omit<HostCall, 'by'> & { readonly ticket?: string }

/**
 * Has a call done, and waits for its end no longer than this client can. Once people are asked the patience of the client counts, and
 * its answer is `pending` when it is up: the run goes on without it. `gone` when nobody waits any more.
 */
export async function awaitAnswer(desk: Pick<McpDesk, 'perform'>, call: ToolCall, waiter: Waiter): Promise<HostAnswer | 'gone'> {
  const { promise, resolve, reject } = Promise.withResolvers<HostAnswer | 'gone'>()
  let question: Asked | undefined
  let patience: NodeJS.Timeout | undefined
  let isOver = false
  const wait = (asked: Asked, ms: number): void => {
    clearTimeout(patience)
    patience = setTimeout(() => resolve({ kind: 'pending', ...asked }), ms)
  }
  const onAsked = (asked: Asked): void => {
    question = asked
    wait(asked, waiter.askedMs)
    // Whoever cannot be asked is only as patient as it is by itself.
    waiter.confirm?.ask(asked).then(
      (stay) => (stay ? wait(asked, waiter.mostMs) : resolve({ kind: 'pending', ...asked })),
      () => undefined,
    )
  }
  const beat = waiter.beat === undefined ? undefined : setInterval(() => waiter.beat?.(question), waiter.beatMs)
  const leave = (): void => resolve('gone')
  waiter.signal.addEventListener('abort', leave, { once: true })
  if (waiter.signal.aborted) leave()
  else {
    const perform = async (): Promise<HostAnswer> => {
      try {
        return await desk.perform(call, { waitMs: waiter.mostMs, signal: waiter.signal, onAsked })
      } finally {
        isOver = true
      }
    }
    perform().then(resolve, reject)
  }
  try {
    return await promise
  } finally {
    clearTimeout(patience)
    clearInterval(beat)
    waiter.signal.removeEventListener('abort', leave)
    if (question !== undefined) waiter.confirm?.drop()
    if (!isOver) waiter.giveUp()
  }
}
