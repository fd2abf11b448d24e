import type { Client } from '@tidegate/client'
import type { WireApproval } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { identify } from '../identify.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { leaves, renderPreview } from '../terminal/difference.ts'
import { inert } from '../terminal/inert.ts'
import { styleState, type Tone } from '../terminal/style.ts'
import { fit, renderPairs, renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'
import { settle } from './run.ts'
import { renderStory } from './story.ts'

/** Risks for which a yes must be typed out. */
const CAREFUL = ['high', 'critical']
const SIGN_TONES: Readonly<Record<string, Tone>> = { '+': 'good', '-': 'bad', '~': 'warn', ' ': 'faint' }
const AFTER_MS = 10_000

/** Lists what waits for a decision; with `--all` also what was decided. */
export function list(shell: Shell, flags: { readonly all?: boolean }): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    const approvals = await client.approvals(flags.all === true ? 'all' : 'open')
    shell.result({ approvals }, (view) => renderList(shell, view.approvals))
    return EXIT.ok
  })
}

/** Shows one question with everything that is needed to answer it. */
export function show(shell: Shell, id: string): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    const approval = await find(client, id)
    shell.result(approval, (view) => renderApproval(shell, view))
    return EXIT.ok
  })
}

/** What `approve` and `refuse` take. */
export interface VoteFlags {
  readonly why?: string
  readonly digest?: string
  readonly yes?: boolean
}

/**
 * Votes. The vote names the digest of the action that was shown here (or that `--digest` insists on), so that nothing else can be
 * approved with it. A high risk must be typed out by a person, or confirmed with `--yes`.
 */
export function vote(shell: Shell, which: 'approve' | 'refuse', id: string, flags: VoteFlags): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const approval = await find(client, id)
    if (flags.digest !== undefined && flags.digest !== approval.digest) {
      throw new CliError(
        'usage_invalid',
        `The action that is asked has the digest ${approval.digest}, not the one you insist on. Look at it again: tidegate approvals show ${approval.id}`,
      )
    }
    if (shell.options.json !== true) shell.note(renderApproval(shell, inert(approval)))
    if (which === 'approve' && approval.state === 'open') await confirm(shell, approval, flags)
    const why = flags.why ?? (which === 'approve' ? 'approved on the command line' : 'refused on the command line')
    const answer = await client.vote(approval.id, { vote: which, why, digest: approval.digest })
    const detail = answer.state === 'open' ? await client.run(answer.run) : await settle(shell, client, answer.run, AFTER_MS)
    const document = { approval: approval.id, vote: which, digest: approval.digest, ...answer, runState: detail.state, detail }
    shell.result(document, (view) => {
      const more =
        view.state === 'open'
          ? 'Your vote counts; more people have to say yes.'
          : `${which === 'approve' ? 'Approved' : 'Refused'}. ${shell.style('faint', view.digest.slice(0, 16))}`
      return `${more}\n\n${renderStory(shell, view.detail)}`
    })
    return answer.state === 'open' ? EXIT.approvalPending : EXIT.ok
  })
}

async function confirm(shell: Shell, { risk, operation, digest }: WireApproval, flags: VoteFlags): Promise<void> {
  if (flags.yes === true || !CAREFUL.includes(risk)) return
  if (!shell.canAsk) {
    throw new CliError(
      'confirmation_needed',
      `This is of ${risk} risk. Look at it with \`tidegate approvals show\`, then add --yes and --digest ${digest}.`,
    )
  }
  const word = operation.split('.').slice(-2).join('.')
  const typed = await shell.ask(`This is of ${risk} risk. Type ${word} to approve exactly this: `)
  if (typed.trim() !== word) throw new CliError('not_confirmed', 'Not approved: what you typed is not it. Nothing was changed.')
}

function find(client: Client, id: string): Promise<WireApproval> {
  const ids = async () => (await client.approvals('all')).map((approval) => approval.id)
  return identify(id, { name: 'approval', get: (whole) => client.approval(whole), ids })
}

function renderList(shell: Shell, approvals: readonly WireApproval[]): string {
  if (approvals.length === 0) return 'Nothing waits for a decision. `tidegate approvals list --all` shows what was decided.'
  const nowMs = Date.now()
  const rows = approvals.map((each) => {
    const who = each.approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(', ')
    const deadline = each.state === 'open' ? renderWhen(each.deadlineMs, nowMs) : '-'
    const about = leaves(each.arguments, '')
      .slice(0, 3)
      .map(([path, value]) => `${path}=${fit(value, 40)}`)
      .join(' ')
    return [each.id, styleState(shell.style, each.state), each.risk, who, deadline, `${each.title} ${about}`]
  })
  return `${renderTable(['approval', 'state', 'risk', 'who may', 'lapses', 'what'], rows)}\n\nLook at one: tidegate approvals show ID`
}

/** A question as a person reads it before deciding. The texts must be inert. */
export function renderApproval(shell: Shell, approval: WireApproval): string {
  const { style } = shell
  const nowMs = Date.now()
  const who = approval.approvers.map(({ role, count }) => `${count} x ${role}`).join(' and ')
  const facts = renderPairs([
    ['Run', `${approval.run} (${approval.workflow}), action ${approval.action}`],
    ['Operation', approval.operation],
    ['Risk', `${approval.risk}, ${approval.reversibility}`],
    ['Why asked', approval.reasons.join('; ') || approval.policies.join(', ')],
    ['Who may', `${who}; not ${approval.requesters.join(', ')}`],
    ['Lapses', approval.state === 'open' ? `${renderWhen(approval.deadlineMs, nowMs)}, and then it means no` : '-'],
    ['Digest', approval.digest],
  ])
  const quoted = renderPairs([
    ['Goal', oneLine(approval.goal)],
    ['Because', oneLine(approval.justification)],
  ])
  const args = leaves(approval.arguments, '').map(([path, value]) => `  ${path}: ${value}`)
  const preview = renderPreview(approval.preview).map(
    ({ sign, text }) => `  ${style(SIGN_TONES[sign] ?? 'faint', `${sign} ${text}`)}`,
  )
  const votes = approval.votes.map(
    ({ voter, vote: cast, why }) => `  ${voter}: ${cast}${why === '' ? '' : `, "${oneLine(why)}"`}`,
  )
  return [
    `${style('strong', approval.title)}  ${styleState(style, approval.state)}`,
    indent(facts),
    '',
    'Arguments:',
    ...args,
    '',
    approval.preview === null ? 'This operation has no preview.' : 'What would change:',
    ...(approval.preview === null ? [] : preview),
    '',
    style('faint', 'Written by the agent, not checked by anybody:'),
    indent(quoted),
    ...(votes.length === 0 ? [] : ['', 'Votes:', ...votes]),
    ...(approval.state === 'open'
      ? [
          '',
          `Decide: ${style('link', `tidegate approvals approve ${approval.id} --as NAME --why "..."`)}`,
          `    or: ${style('link', `tidegate approvals refuse ${approval.id} --as NAME --why "..."`)}`,
        ]
      : []),
  ].join('\n')
}

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim()
  return flat.length > 500 ? `${flat.slice(0, 497)}...` : flat
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
