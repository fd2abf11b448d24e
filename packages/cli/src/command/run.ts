import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import type { WireRunDetail, WireRunHead } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderStory } from './story.ts'

/** What `run` takes. */
export interface RunFlags {
  readonly input?: string
  readonly inputFile?: string
  readonly source: string
  readonly event?: string
  readonly user?: string
  readonly wait: boolean
  readonly timeout: string
}

const MAX_INPUT_BYTES = 1_000_000
const BREATH_MS = 100

/** Delivers one event to a workflow and, unless told otherwise, waits until the run rests or needs a person. */
export function run(shell: Shell, workflow: string, pairs: readonly string[], flags: RunFlags): Promise<ExitCode> {
  const input = readInput(shell, pairs, flags)
  const waitMs = seconds(flags.timeout) * 1_000
  const event = flags.event ?? `cli-${randomUUID()}`
  return withClient(shell, 'change', async (client) => {
    const answer = await client.trigger({
      workflow,
      source: flags.source,
      event,
      input,
      ...(flags.user === undefined ? {} : { user: flags.user }),
    })
    if (answer.kind === 'duplicate') shell.note(`This event was delivered before; it opened run ${answer.run} then.`)
    if (!flags.wait) {
      shell.result({ ...answer, event }, (view) => `Run ${view.run}\nWatch it: tidegate runs watch ${view.run}`)
      return EXIT.ok
    }
    const detail = await settle(shell, client, answer.run, waitMs)
    shell.result({ ...answer, event, detail }, (view) => renderStory(shell, view.detail))
    return exitOf(detail)
  })
}

/** Waits until a run rests or needs a person, in calls that the gateway allows. */
export async function settle(shell: Shell, client: Client, run: string, waitMs: number): Promise<WireRunDetail> {
  const deadline = performance.now() + waitMs
  const wait = async (): Promise<void> => {
    for (;;) {
      const left = deadline - performance.now()
      const head = await client.settled(run, Math.max(0, left))
      if (!isUnderWay(head) || left <= 0) return
      // It answered early although the run goes on: a stop may hold it, and then there is nothing to wait for.
      if ((await client.run(run)).heldBy !== null) return
      await pause(BREATH_MS, undefined, { signal: shell.signal })
    }
  }
  await shell.progress(`Run ${run} is under way`, wait())
  return client.run(run)
}

/** True while a run goes on by itself: also in the moment between a granted approval and the effect that it allows. */
export function isUnderWay({ state, openApprovals }: Pick<WireRunHead, 'state' | 'openApprovals'>): boolean {
  return state === 'running' || state === 'undoing' || (state === 'waiting' && openApprovals.length === 0)
}

/** What the state of a run means for the exit code. */
export function exitOf({ state, failure, heldBy }: Pick<WireRunDetail, 'state' | 'failure' | 'heldBy'>): ExitCode {
  if (state === 'completed') return EXIT.ok
  if (state === 'waiting') return EXIT.approvalPending
  if (heldBy !== null || state === 'running' || state === 'undoing') return EXIT.timeout
  return failure === 'policy_denial' || failure === 'approval_refused' || failure === 'stopped' ? EXIT.denied : EXIT.failed
}

/** A number of seconds as people write it. */
export function seconds(text: string): number {
  const value = Number(text)
  if (/^\d{1,6}(?:\.\d{1,3})?$/.test(text)) return value
  throw new CliError('usage_invalid', `"${text}" is not a number of seconds.`)
}

type Input = Record<string, unknown>

/** The input as JSON, from a file or stdin, or as `key=value`. The caller controls all of it; the server checks it again. */
function readInput(shell: Shell, pairs: readonly string[], { input, inputFile }: RunFlags): WireInput {
  if ([input !== undefined, inputFile !== undefined, pairs.length > 0].filter(Boolean).length > 1) {
    throw new CliError('usage_invalid', 'Give the input once: as key=value, with --input, or with --input-file.')
  }
  if (input !== undefined) return parseInput(input, '--input')
  if (inputFile !== undefined) return parseInput(readInputFile(shell, inputFile), inputFile === '-' ? 'stdin' : inputFile)
  const entries = pairs.map((pair): readonly [string, string] => {
    const mark = pair.indexOf('=')
    if (mark < 1) throw new CliError('usage_invalid', `"${pair}" is not of the form key=value.`)
    return [pair.slice(0, mark), pair.slice(mark + 1)]
  })
  return Object.fromEntries(entries)
}

type WireInput = Parameters<Client['trigger']>[0]['input']

function readInputFile(shell: Shell, file: string): string {
  try {
    if (file === '-') return textOf(readFileSync(0), 'stdin')
    const path = resolve(shell.cwd, file)
    if (statSync(path).size > MAX_INPUT_BYTES)
      throw new CliError(
        'file_unreadable',
        `${file} is larger than ${MAX_INPUT_BYTES} bytes, which is more than the server takes.`,
      )
    return textOf(readFileSync(path), file)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    throw new CliError('file_unreadable', `${file} cannot be read.`, { cause })
  }
}

/** Bytes that are no text must not become replacement characters that nobody wrote. */
function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CliError('file_unreadable', `${where} is not UTF-8.`, { cause })
  }
}

function parseInput(text: string, where: string): WireInput {
  if (Buffer.byteLength(text) > MAX_INPUT_BYTES) {
    throw new CliError(
      'file_unreadable',
      `${where} is larger than ${MAX_INPUT_BYTES} bytes, which is more than the server takes.`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CliError('usage_invalid', `${where} is not JSON: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CliError('usage_invalid', `${where} must hold a JSON object.`)
  // Sound: what JSON.parse returns for an object is JSON.
  return value as Input as WireInput
}
