import type { HostAnswer, HostCall } from '@tidegate/runtime'
import type { McpDesk } from './desk.ts'

/** A question to people that a call waits for. */
export interface Asked {
  readonly approval: string
  readonly run: string
  readonly deadlineMs: number
}

/** Whoever waits for the answer, and how patient they are. */
export interface Waiter {
  readonly signal: AbortSignal
  /** For any call, in all. */
  readonly mostMs: number
  /** Once people are asked; then the answer is `pending`. */
  readonly askedMs: number
  /** Between two calls of {@link beat}. */
  readonly beatMs: number
  /** Told that it goes on; `asked` when it is people that are waited for. */
  readonly beat?: (asked: Asked | undefined) => void
  /** Asks whoever waits whether to go on: then the call may take {@link mostMs}. Their answer approves nothing. */
  readonly confirm?: (asked: Asked) => Promise<boolean>
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
  const wait = (asked: Asked, ms: number): void => {
    clearTimeout(patience)
    patience = setTimeout(() => resolve({ kind: 'pending', ...asked }), ms)
  }
  const onAsked = (asked: Asked): void => {
    question = asked
    wait(asked, waiter.askedMs)
    // Whoever cannot be asked is only as patient as it is by itself.
    waiter.confirm?.(asked).then(
      (stay) => (stay ? wait(asked, waiter.mostMs) : resolve({ kind: 'pending', ...asked })),
      () => undefined,
    )
  }
  const beat = waiter.beat === undefined ? undefined : setInterval(() => waiter.beat?.(question), waiter.beatMs)
  const leave = (): void => resolve('gone')
  waiter.signal.addEventListener('abort', leave, { once: true })
  if (waiter.signal.aborted) leave()
  else desk.perform(call, { waitMs: waiter.mostMs, signal: waiter.signal, onAsked }).then(resolve, reject)
  try {
    return await promise
  } finally {
    clearTimeout(patience)
    clearInterval(beat)
    waiter.signal.removeEventListener('abort', leave)
  }
}
