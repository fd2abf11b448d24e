import type { WirePolicyExplanation, WirePolicyTexts, WirePolicyVersion } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import type { Tone } from '../terminal/style.ts'
import { renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'
import { hang } from '../terminal/wrap.ts'
import { findRun } from './runs.ts'

/** Lists every version that was ever in force, newest first. */
export function versions(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ versions: await client.policyVersions() }, (view) => renderVersions(shell, view.versions))
    return EXIT.ok
  })
}

/** Shows the texts of a version. */
export function show(shell: Shell, version: string | undefined): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await client.policyVersion(version), (view) => renderTexts(shell, view))
    return EXIT.ok
  })
}

/** Says why the actions of a run were decided as they were, and fails when they do not come out as they were recorded. */
export function explain(shell: Shell, id: string, action: string | undefined): Promise<ExitCode> {
  const number = action === undefined ? undefined : Number(action)
  if (number !== undefined && !(Number.isInteger(number) && number >= 0))
    throw new CliError('usage_invalid', `"${action}" is not the number of an action. \`tidegate runs show ${id}\` has them.`)
  return withClient(shell, 'look', async (client) => {
    const { run } = await findRun(client, id)
    const explanation = await client.policyExplain(run, number)
    shell.result(explanation, (view) => renderExplanation(shell, view))
    return explanation.decisions.some(({ verdict }) => verdict === 'differs') ? EXIT.failed : EXIT.ok
  })
}

const CAUSES: Readonly<Record<WirePolicyVersion['cause'], string>> = {
  first_start: 'first start',
  start: 'files had changed',
  schema: 'declarations had changed',
  change: 'change',
}

function renderVersions(shell: Shell, list: readonly WirePolicyVersion[]): string {
  const nowMs = Date.now()
  const rows = list.map(({ version, inForce, atMs, cause, by, reviewers, why }) => [
    version.slice(0, 12),
    inForce ? 'in force' : '',
    renderWhen(atMs, nowMs),
    CAUSES[cause],
    by,
    reviewers.join(', ') || '-',
    why.replaceAll('\n', ' '),
  ])
  const table = renderTable(['version', 'state', 'since', 'by way of', 'by', 'agreed', 'why'], rows, shell.columns)
  return `${table}\n\nTexts: ${shell.style('link', 'tidegate policy show VERSION')}`
}

function renderTexts({ style }: Shell, { version, inForce, by, reviewers, index, texts }: WirePolicyTexts): string {
  const who = [`by ${by}`, ...(reviewers.length === 0 ? [] : [`agreed by ${reviewers.join(', ')}`])].join(', ')
  return [
    `${style('strong', version)}  ${inForce ? 'in force' : 'not in force any more'}  ${style('faint', `${who}; ledger entry ${index}`)}`,
    ...texts.flatMap(({ file, layer, text }) => [
      '',
      style('strong', `# ${file}`) + style('faint', `  (${layer})`),
      text.trimEnd(),
    ]),
  ].join('\n')
}

type Explained = WirePolicyExplanation['decisions'][number]

const VERDICTS: Readonly<Record<Explained['verdict'], readonly [Tone, string]>> = {
  agrees: ['good', 'comes out the same when it is decided again'],
  differs: ['bad', 'DOES NOT COME OUT AS IT WAS RECORDED'],
  guard: ['faint', 'refused before any policy was asked'],
  unknown_version: ['warn', 'cannot be decided again: the policies of that version are not recorded'],
  unrecorded: ['warn', 'cannot be decided again: what policy was told is not recorded'],
}

function renderExplanation(shell: Shell, { run, decisions }: WirePolicyExplanation): string {
  return [shell.style('strong', `Run ${run}`), ...decisions.flatMap((decision) => ['', ...renderDecision(shell, decision)])].join(
    '\n',
  )
}

function renderDecision({ style, columns }: Shell, decision: Explained): readonly string[] {
  const { action, operation, version, recorded, recomputed, verdict, rules, hints } = decision
  const [tone, says] = VERDICTS[verdict]
  const reasons = recorded.policies.map(({ id, reason }) => hang('  ', `${id}: ${reason}`, columns))
  const other =
    verdict !== 'differs' || recomputed === null
      ? []
      : [hang('  ', `now: ${recomputed.outcome}, by ${recomputed.policies.map(({ id }) => id).join(', ')}`, columns)]
  return [
    `Action ${action}  ${style('strong', operation)}  ${style(recorded.outcome === 'allow' ? 'good' : 'warn', recorded.outcome)}  ${style('faint', `policies ${version.slice(0, 12)}`)}`,
    ...reasons,
    `  ${style(tone, says)}`,
    ...other,
    ...rules.flatMap(({ file, line, text }) => [
      `  ${style('faint', `${file}:${line}`)}`,
      ...text.split('\n').map((row) => `    ${row}`),
    ]),
    ...hints.map((hint) => hang('  ', hint, columns)),
  ]
}
