import { resolve } from 'node:path'
import type { AuthorizeReport, ConformanceReport } from '@tidegate/workbench'
import { EXIT, type ExitCode } from '../../exit-code.ts'
import type { Shell } from '../../shell.ts'
import type { Style } from '../../terminal/style.ts'

interface AuthorizeFlags {
  readonly policies: string
  readonly entities: string
  readonly request: string
  readonly schema?: string
}

/** Cedar's own command line ends with 0 for allow and 2 for deny, and so does this command. */
const EXIT_OF = { allow: EXIT.ok, deny: EXIT.usage } as const

/** Decides one request of Cedar's own, from files. */
export async function authorize(shell: Shell, { policies, entities, request, schema }: AuthorizeFlags): Promise<ExitCode> {
  const { authorizeRequest } = await import('@tidegate/workbench')
  const at = (file: string) => resolve(shell.cwd, file)
  const files = {
    policies: at(policies),
    entities: at(entities),
    request: at(request),
    ...(schema === undefined ? {} : { schema: at(schema) }),
  }
  const report = authorizeRequest(files)
  shell.result(report, (view) => renderAuthorize(shell.style, view))
  return EXIT_OF[report.decision]
}

/** Runs Cedar's own tests against the evaluator that decides here. */
export async function conformance(shell: Shell, directory: string): Promise<ExitCode> {
  const { runConformance } = await import('@tidegate/workbench')
  let told = performance.now()
  const onProgress = ({
    done,
    of,
    mismatches,
  }: {
    readonly done: number
    readonly of: number
    readonly mismatches: number
  }): void => {
    shell.signal.throwIfAborted()
    if (performance.now() - told < PROGRESS_MS) return
    told = performance.now()
    shell.note(`${done} of ${of} tests, ${mismatches} mismatches`)
  }
  const report = await runConformance(resolve(shell.cwd, directory), { onProgress })
  shell.result(report, (view) => renderConformance(shell.style, view))
  return report.mismatches.length === 0 ? EXIT.ok : EXIT.casesFailed
}

const PROGRESS_MS = 2_000

/** The decision in capitals as Cedar writes it, then why. */
export function renderAuthorize(style: Style, { decision, determining, errors, tidegate }: AuthorizeReport): string {
  const because =
    determining.length === 0 ? ['no policy applies'] : determining.map(({ id, place }) => `${id}  ${style('faint', place)}`)
  const differs =
    tidegate === decision ? [] : [style('warn', `Tidegate would ${tidegate}: a policy that cannot be evaluated denies there.`)]
  return [
    style(decision === 'allow' ? 'good' : 'bad', decision.toUpperCase()),
    ...because.map((line) => `  ${line}`),
    ...errors.map(({ id, message }) => `  ${style('warn', 'error')} ${id}: ${message}`),
    ...differs,
  ].join('\n')
}

const SHOWN = 20

/** What came out other than the suite says, and how much was looked at. */
export function renderConformance(style: Style, { tests, requests, evaluationErrors, mismatches }: ConformanceReport): string {
  const lines = mismatches.slice(0, SHOWN).map(({ test, request, what, expected, actual }) => {
    const where = request === undefined ? test : `${test}, request ${request}`
    return `${style('bad', what)} ${where}: expected ${expected}, found ${actual}`
  })
  const rest = mismatches.length > SHOWN ? [`and ${mismatches.length - SHOWN} more`] : []
  const verdict = mismatches.length === 0 ? style('good', 'no mismatch') : style('bad', `${mismatches.length} mismatches`)
  return [
    ...lines,
    ...rest,
    `${tests} tests, ${requests} requests, ${evaluationErrors} evaluation errors as expected: ${verdict}`,
  ].join('\n')
}
