import type { Client } from '@tidegate/client'
import type { WireApproval } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { identify } from '../identify.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { leaves, renderAmount, renderPreview } from '../terminal/difference.ts'
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
    shell.result({ approvals }, (view) => renderList(shell, view.approvals, flags.all === true))
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
  /** Say yes to the whole plan that the question shows. */
  readonly plan?: boolean
}

/**
 * Votes. The vote names the digest of the action that was shown here (or that `--digest` insists on), so that nothing else can be
 * approved with it; with `--plan` it names the digest of the whole plan. A high risk must be typed out by a person, or confirmed with `--yes`.
 */
export function vote(shell: Shell, which: 'approve' | 'refuse', id: string, flags: VoteFlags): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const approval = await find(client, id)
    const digest = digestFor(approval, flags)
    if (flags.digest !== undefined && flags.digest !== digest) {
      throw new CliError(
        'usage_invalid',
        `What is asked has the digest ${digest}, not the one you insist on. Look at it again: tidegate approvals show ${approval.id}`,
      )
    }
    if (shell.options.json !== true) shell.note(renderApproval(shell, inert(approval), true))
    if (which === 'approve' && approval.state === 'open') await confirm(shell, approval, flags)
    const why = flags.why ?? (which === 'approve' ? 'approved on the command line' : 'refused on the command line')
    const answer = await client.vote(approval.id, { vote: which, why, digest })
    const detail = answer.state === 'open' ? await client.run(answer.run) : await settle(shell, client, answer.run, AFTER_MS)
    const document = { approval: approval.id, vote: which, digest, ...answer, runState: detail.state, detail }
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

/** What the vote is about. */
function digestFor({ id, digest, plan }: WireApproval, flags: VoteFlags): string {
  if (flags.plan !== true) return digest
  if (plan === null)
    throw new CliError(
      'usage_invalid',
      `This question covers one call and no plan. Leave --plan out: tidegate approvals approve ${id}`,
    )
  return plan.digest
}

async function confirm(shell: Shell, approval: WireApproval, flags: VoteFlags): Promise<void> {
  const calls = flags.plan === true ? (approval.plan?.calls ?? []) : []
  const risk = CAREFUL.findLast((each) => [approval, ...calls].some((call) => call.risk === each))
  if (flags.yes === true || risk === undefined) return
  if (!shell.canAsk) {
    throw new CliError(
      'confirmation_needed',
      `This is of ${risk} risk. Look at it with \`tidegate approvals show\`, then add --yes and --digest ${digestFor(approval, flags)}.`,
    )
  }
  const word = calls.length === 0 ? approval.operation.split('.').slice(-2).join('.') : `${calls.length + 1} calls`
  const typed = await shell.ask(`This is of ${risk} risk. Type ${word} to approve exactly this: `)
  if (typed.trim() !== word) throw new CliError('not_confirmed', 'Not approved: what you typed is not it. Nothing was changed.')
}

function find(client: Client, id: string): Promise<WireApproval> {
  const ids = async () => (await client.approvals('all')).map((approval) => approval.id)
  return identify(id, { name: 'approval', get: (whole) => client.approval(whole), ids })
}

function renderList(shell: Shell, approvals: readonly WireApproval[], all: boolean): string {
  if (approvals.length === 0)
    return all
      ? 'Nothing was ever asked.'
      : 'Nothing waits for a decision. `tidegate approvals list --all` shows what was decided.'
  const nowMs = Date.now()
  const rows = approvals.map((each) => {
    const about = leaves(each.arguments, '')
      .slice(0, 3)
      .map(([path, value]) => `${path} ${fit(renderAmount(path, value, each.preview), 40)}`)
      .join(', ')
    const state = all ? [styleState(shell.style, each.state)] : []
    const deadline = each.state === 'open' ? renderWhen(each.deadlineMs, nowMs) : '-'
    return [each.id, ...state, each.risk, whoOf(each), deadline, `${each.title}: ${about}`]
  })
  const header = ['approval', ...(all ? ['state'] : []), 'risk', 'who may', 'lapses', 'what']
  return `${renderTable(header, rows, shell.columns)}\n\nLook at one: ${shell.style('link', 'tidegate approvals show ID')}`
}

function whoOf({ approvers }: WireApproval): string {
  return approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(', ')
}

/** A question as a person reads it before deciding; how to decide is left out when that is being done. The texts must be inert. */
export function renderApproval(shell: Shell, approval: WireApproval, deciding = false): string {
  const { style } = shell
  const nowMs = Date.now()
  const facts = renderPairs([
    ['Run', `${approval.run} (${approval.workflow}), action ${approval.action}`],
    ['Operation', approval.operation],
    ['Risk', `${approval.risk}, ${approval.reversibility}`],
    ['Why asked', whyAsked(approval)],
    ['Who may', `${whoOf(approval)}; never ${approval.requesters.join(', ')}`],
    ['Lapses', approval.state === 'open' ? `${renderWhen(approval.deadlineMs, nowMs)}, and then it means no` : '-'],
    ['Digest', approval.digest],
  ])
  const quoted = renderPairs([
    ['Goal', oneLine(approval.goal)],
    ['Because', oneLine(approval.justification)],
  ])
  const args = leaves(approval.arguments, '').map(([path, value]) => `  ${path}: ${renderAmount(path, value, approval.preview)}`)
  const preview = renderPreview(approval.preview).map(
    ({ sign, text }) => `  ${style(SIGN_TONES[sign] ?? 'faint', `${sign} ${text}`)}`,
  )
  const votes = approval.votes.map(
    ({ voter, vote: cast, why, plan }) =>
      `  ${voter}: ${cast}${plan ? ' (the whole plan)' : ''}${why === '' ? '' : `, "${oneLine(why)}"`}`,
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
    ...renderPlan(shell, approval),
    ...(approval.state === 'open' && !deciding
      ? [
          '',
          `Decide: ${style('link', `tidegate approvals approve ${approval.id} --as NAME --why "..."`)}`,
          ...(approval.plan === null
            ? []
            : [`    or: ${style('link', `tidegate approvals approve ${approval.id} --plan --as NAME --why "..."`)}`]),
          `    or: ${style('link', `tidegate approvals refuse ${approval.id} --as NAME --why "..."`)}`,
        ]
      : []),
  ].join('\n')
}

/** The other calls of the plan that a yes may cover. */
function renderPlan(shell: Shell, { plan }: WireApproval): readonly string[] {
  if (plan === null) return []
  const { style } = shell
  const calls = plan.calls.flatMap(({ operation, title, risk, policies, arguments: args, preview, usedBy }, i) => [
    `  ${i + 2}. ${style('strong', title)} (${operation}), ${risk} risk${usedBy === null ? '' : `; done as action ${usedBy}`}`,
    ...leaves(args, '').map(([path, value]) => `     ${path}: ${renderAmount(path, value, preview)}`),
    ...renderPreview(preview).map(({ sign, text }) => `     ${style(SIGN_TONES[sign] ?? 'faint', `${sign} ${text}`)}`),
    `     would be asked by ${policies.join(', ')}`,
  ])
  const said = plan.isApproved
    ? 'and people have said yes to all of them, once each'
    : '--plan says yes to all of them, once each'
  return ['', `It is one of ${plan.calls.length + 1} calls of a plan; ${said}:`, ...calls, `  Digest of the plan: ${plan.digest}`]
}

/** Once it is decided, the reasons of the last decision may be those why it was allowed, not why it was asked. */
function whyAsked({ state, reasons, policies }: WireApproval): string {
  const said = state === 'granted' || state === 'consumed' ? '' : reasons.filter((reason) => reason !== '').join('; ')
  return said === '' ? policies.join(', ') : `${said} [${policies.join(', ')}]`
}

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim()
  return flat.length > 500 ? `${flat.slice(0, 497)}...` : flat
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
