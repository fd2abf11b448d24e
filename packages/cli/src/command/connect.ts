import { join, resolve } from 'node:path'
import {
  applyConnection,
  ConnectError,
  type ConnectionPlan,
  type ConnectionStore,
  type ConnectRequest,
  disconnect as putBack,
  type DisconnectedFile,
  type Finding,
  HOST_KINDS,
  judgeProof,
  openConnections,
  planConnection,
} from '@tidegate/connect'
import { isHostKind, KNOWN_HOSTS } from '../connect/adapters.ts'
import { environmentOf, OWN_COMMAND } from '../connect/environment.ts'
import { withProject } from '../connect/with-project.ts'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findAnsweringServer } from '../project/answering-server.ts'
import { findProject, stateDirectory } from '../project/find-project.ts'
import type { Shell } from '../shell.ts'

/** The flags of `connect`. */
export interface ConnectFlags {
  readonly name?: string
  readonly observe?: boolean
  readonly enforce?: boolean
  readonly unproven?: boolean
  readonly permit?: string
  readonly wait?: string
  readonly tickets?: boolean
  readonly config?: string
  readonly dryRun?: boolean
}

const MAX_WAIT_SECONDS = 590

/**
 * Connects a host: changes its configuration so that its calls come through Tidegate, and lists it in tidegate.yaml. What was there is
 * kept, and `disconnect` puts it back.
 */
export async function connect(shell: Shell, kind: string, flags: ConnectFlags): Promise<ExitCode> {
  if (!isHostKind(kind)) throw new CliError('usage_invalid', `"${kind}" cannot be connected. What can: ${HOST_KINDS.join(', ')}.`)
  const project = findProject(shell)
  const name = flags.name ?? KNOWN_HOSTS[kind].name
  const adapter = withProject(await KNOWN_HOSTS[kind].load(), project, name)
  const store = openConnections(join(stateDirectory(project), 'connections'))
  const running = await findAnsweringServer(project)
  const request = requestOf(shell, flags, { project, name, url: running?.url })
  const plan = await planConnection(adapter, request)
  const unproven = judge(shell, plan, store, flags)
  const applied = flags.dryRun === true ? undefined : await applyConnection(plan, store, { nowMs: Date.now(), unproven })
  const changed = applied?.changed ?? false
  const view = {
    ...{ name, kind, mode: request.mode, title: adapter.title, changed, dryRun: flags.dryRun === true, unproven },
    files: plan.edits.map(({ file, before, after, why }) => ({ file, change: changeOf(before, after), why })),
    findings: applied?.findings ?? [],
    notes: [...plan.notes],
    undo: `tidegate disconnect ${name}`,
    // The server reads tidegate.yaml when it starts.
    restart: changed && running !== undefined,
    running: running !== undefined,
  }
  shell.result(view, (each) => renderConnected(shell, each))
  return EXIT.ok
}

/** Puts the configuration of a host back as it was. */
export async function disconnect(shell: Shell, name: string, flags: { readonly force?: boolean }): Promise<ExitCode> {
  const project = findProject(shell)
  const store = openConnections(join(stateDirectory(project), 'connections'))
  const record = store.read(name)
  if (record === undefined) throw new ConnectError('not_connected', `No host "${name}" is connected here. See: tidegate hosts`)
  const adapter = withProject(await KNOWN_HOSTS[record.kind].load(), project, name)
  const result = await putBack(adapter, store, name, { force: flags.force === true })
  const running = await findAnsweringServer(project)
  shell.result({ ...result, kind: record.kind, restart: running !== undefined }, (view) =>
    [
      `${adapter.title} is no longer connected as "${view.name}".`,
      ...view.files.map((each) => `  ${renderOutcome(each)}`),
      ...(view.restart ? ['The running server still knows the host: start it again, and its token opens nothing any more.'] : []),
    ].join('\n'),
  )
  return EXIT.ok
}

function requestOf(
  shell: Shell,
  flags: ConnectFlags,
  { project, name, url }: { readonly project: string; readonly name: string; readonly url: string | undefined },
): ConnectRequest {
  if (flags.observe === true && flags.enforce === true)
    throw new CliError('usage_invalid', 'Say --observe or --enforce, not both.')
  if (flags.permit !== undefined && flags.permit !== 'host' && flags.permit !== 'allow')
    throw new CliError('usage_invalid', 'Say --permit host (the rules of the host are asked besides) or --permit allow.')
  if (flags.wait !== undefined && !(/^\d{1,3}$/.test(flags.wait) && Number(flags.wait) <= MAX_WAIT_SECONDS))
    throw new CliError('usage_invalid', `Say --wait with seconds, 0 to ${MAX_WAIT_SECONDS}.`)
  return {
    ...{
      name,
      project,
      mode: flags.enforce === true ? 'enforce' : 'observe',
      permit: flags.permit ?? 'host',
      command: OWN_COMMAND,
    },
    tokenFile: join(stateDirectory(project), 'tokens', `host-${name}.token`),
    environment: environmentOf(shell),
    ...(url === undefined ? {} : { url }),
    ...(flags.wait === undefined ? {} : { waitSeconds: Number(flags.wait) }),
    ...(flags.tickets === true ? { tickets: true } : {}),
    ...(flags.config === undefined ? {} : { config: resolve(shell.cwd, flags.config) }),
  }
}

/** True when the host is to be enforced without proof, which has to be said; without saying it is refused. */
function judge(
  shell: Shell,
  { request, detection, changes }: ConnectionPlan,
  store: ConnectionStore,
  flags: ConnectFlags,
): boolean {
  const record = store.read(request.name)
  if (request.mode === 'observe') return false
  if (!changes && record?.mode === 'enforce') return record.unproven
  const proven = judgeProof(store.readProof(request.name), detection)
  if (proven.state === 'proven') return false
  if (flags.unproven !== true)
    throw new ConnectError(
      'host_unproven',
      `Enforcing is refused: ${proven.why}. Observe first (--observe), prove it (tidegate doctor --prove), or accept the gap with --unproven.`,
    )
  shell.note(`WARNING: enforced without proof: ${proven.why}. What goes around Tidegate is not stopped.`)
  return true
}

function changeOf(before: Uint8Array | undefined, after: Uint8Array): 'create' | 'edit' | 'none' {
  if (before === undefined) return 'create'
  return Buffer.compare(before, after) === 0 ? 'none' : 'edit'
}

interface ConnectedView {
  readonly name: string
  readonly title: string
  readonly mode: string
  readonly changed: boolean
  readonly dryRun: boolean
  readonly files: readonly { readonly file: string; readonly change: 'create' | 'edit' | 'none'; readonly why: string }[]
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
  readonly undo: string
  readonly restart: boolean
  readonly running: boolean
}

function renderConnected({ style }: Shell, view: ConnectedView): string {
  const verbs = {
    create: view.dryRun ? 'would create' : 'created',
    edit: view.dryRun ? 'would change' : 'changed',
    none: 'as it is',
  }
  const head = view.dryRun
    ? `${view.title} would be connected as "${view.name}" (${view.mode}).`
    : `${view.title} is connected as "${view.name}" (${view.mode}).`
  const warnings = view.findings.filter(({ state }) => state !== 'ok')
  return [
    view.changed || view.dryRun ? head : `${head} Nothing had to be changed.`,
    ...view.files.map(({ file, change, why }) => `  ${verbs[change]} ${file}: ${why}`),
    ...view.notes,
    ...warnings.map(({ name, detail, cure }) => `${style('warn', name)}: ${detail} ${cure}`.trimEnd()),
    ...(view.dryRun ? [] : [nextStep(view), `Undo: ${style('link', view.undo)}`]),
  ].join('\n')
}

function nextStep({ restart, running, mode }: ConnectedView): string {
  if (restart) return 'Start the server again: it reads tidegate.yaml when it starts (end `tidegate up`, and start it).'
  if (!running) return 'Start the server: tidegate up'
  return mode === 'observe'
    ? 'Use it as always; `tidegate observe report` shows what would have been stopped.'
    : 'Every call is decided from now on; see `tidegate hosts`.'
}

function renderOutcome({ file, outcome, removed = [], keptAt }: DisconnectedFile): string {
  switch (outcome) {
    case 'restored':
      return `${file}: as it was before, byte for byte`
    case 'deleted':
      return `${file}: removed, as there was none before`
    case 'cleaned':
      return `${file}: somebody changed it meanwhile; taken out: ${removed.join(', ') || 'nothing'}`
    case 'overwritten':
      return `${file}: as it was before; what it was until now is in ${keptAt}`
    case 'untouched':
      return `${file}: was as before already`
  }
}
