import type { Client } from '@tidegate/client'
import type { WireEndorseRequest } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { identify } from '../identify.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'

/** What `approvals endorse` takes. */
export interface EndorseFlags {
  readonly pointer?: readonly string[]
  readonly value?: string
  readonly action?: string
  readonly operation?: string
  readonly digest?: string
  readonly why: string
}

/**
 * Endorses values for the rest of a run: those of an open question by its id, or those of an action or an operation of a run. The digest of
 * the action that was looked up here goes with it, so that nothing else can be endorsed.
 */
export function endorse(shell: Shell, id: string, flags: EndorseFlags): Promise<ExitCode> {
  const values = valuesOf(flags)
  return withClient(shell, 'change', async (client) => {
    const isRun = flags.action !== undefined || flags.operation !== undefined
    const { run, request } = isRun ? await byRun(client, id, flags) : await byQuestion(client, id, flags)
    const answer = await client.endorse(run, { ...request, why: flags.why, values })
    shell.result(answer, ({ values: said, reopened }) => {
      const lines = said.map(({ operation, pointer, state }) =>
        state === 'endorsed'
          ? `Endorsed for ${pointer} of ${operation}, in this run only.`
          : `Your word counts for ${pointer} of ${operation}; more people have to say so.`,
      )
      const next = reopened ? ['The question is put aside, and the action is decided again.'] : []
      return [...lines, ...next, `See: ${shell.style('link', `tidegate approvals endorsed ${run}`)}`].join('\n')
    })
    return answer.values.some(({ state }) => state === 'open') ? EXIT.approvalPending : EXIT.ok
  })
}

/** Lists what was endorsed in a run. */
export function list(shell: Shell, run: string): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    const { run: id } = await findRun(client, run)
    shell.result({ run: id, endorsements: await client.endorsements(id) }, ({ endorsements }) => {
      if (endorsements.length === 0) return 'Nothing was endorsed in this run.'
      const rows = endorsements.map(({ operation, pointer, value, state, votes }) => [
        operation,
        pointer,
        String(value),
        state,
        votes.map(({ voter, why }) => `${voter}: ${why.replaceAll('\n', ' ')}`).join('; '),
      ])
      return renderTable(['operation', 'argument', 'value', 'state', 'by'], rows, shell.columns)
    })
    return EXIT.ok
  })
}

function valuesOf({ pointer = [], value }: EndorseFlags): WireEndorseRequest['values'] {
  if (pointer.length === 0)
    throw new CliError(
      'usage_invalid',
      'Say which argument: --pointer /recipient. `tidegate approvals show` lists the arguments.',
    )
  const wrong = pointer.find((each) => !each.startsWith('/'))
  if (wrong !== undefined)
    throw new CliError(
      'usage_invalid',
      `"${wrong.slice(0, 60)}" is no JSON pointer: write /recipient, or /to/0 for a member of a list.`,
    )
  if (value !== undefined && pointer.length > 1)
    throw new CliError('usage_invalid', 'With --value name one --pointer: each value is endorsed for one argument.')
  return pointer.map((each) => (value === undefined ? { pointer: each } : { pointer: each, value }))
}

type Found = { readonly run: string; readonly request: Omit<WireEndorseRequest, 'why' | 'values'> }

async function byQuestion(client: Client, id: string, { digest }: EndorseFlags): Promise<Found> {
  const ids = async () => (await client.approvals('all')).map((approval) => approval.id)
  const approval = await identify(id, { name: 'approval', get: (whole) => client.approval(whole), ids })
  insist(digest, approval.digest)
  return { run: approval.run, request: { approval: approval.id, digest: approval.digest } }
}

async function byRun(client: Client, id: string, { action, operation, digest, value }: EndorseFlags): Promise<Found> {
  const { run, actions } = await findRun(client, id)
  if (operation !== undefined) {
    if (action !== undefined || value === undefined)
      throw new CliError('usage_invalid', 'With --operation give the value itself (--value), and no --action.')
    return { run, request: { operation } }
  }
  const found = actions.find(({ n }) => String(n) === action)
  if (found === undefined || found.digest === null)
    throw new CliError(
      'usage_invalid',
      `Say which action of the run: --action ${actions.at(-1)?.n ?? 0}. \`tidegate runs show ${run}\` tells them.`,
    )
  insist(digest, found.digest)
  return { run, request: { action: found.n, digest: found.digest } }
}

function findRun(client: Client, id: string) {
  const ids = async () => (await client.runs({ limit: 500 })).map(({ run }) => run)
  return identify(id, { name: 'run', get: (whole) => client.run(whole), ids })
}

function insist(wanted: string | undefined, digest: string): void {
  if (wanted !== undefined && wanted !== digest)
    throw new CliError('usage_invalid', `The action has the digest ${digest}, not the one you insist on. Look at it again.`)
}
