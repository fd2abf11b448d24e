import { SANDBOX_WORKSPACE, type SandboxLimits, type SandboxMount } from '@tidegate/kernel'
import type { SystemDirectory } from './host.ts'
import { DESCRIPTORS, RUNNER_DIRECTORY, RUNNER_SHELL } from './runner.ts'

/** Where a sandbox finds its proxy, when it has one. */
export const PROXY_PORT = 3128

/** Set for every command, unless the specification says otherwise. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  HOME: SANDBOX_WORKSPACE,
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  USER: 'agent',
  LOGNAME: 'agent',
  SHELL: '/bin/bash',
  TERM: 'dumb',
}

/** What one sandbox is started with. */
export interface CellPlan {
  readonly system: readonly SystemDirectory[]
  readonly user: { readonly uid: number; readonly gid: number }
  readonly limits: SandboxLimits
  /** The workspace cannot be changed either. */
  readonly isReadOnly: boolean
  readonly readOnly: readonly SandboxMount[]
  readonly etc: string
  /** Wait for somebody to open a door: only while the sandbox is being made can an ordinary user enter its network. */
  readonly waits: boolean
  readonly program: string
}

/**
 * The arguments of bubblewrap, before and after the directory that is seen as the runner's. Every layer stands here; `probe` proves each
 * of them from inside.
 *
 * The environment is not among them: arguments can be read by everybody.
 */
export function bwrapArguments(plan: CellPlan): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const { user, limits } = plan
  // Half for each of the two places, so that both together are what the limits promise.
  const temporary = String(Math.floor(limits.memoryBytes / 2))
  const before = [
    ...['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup'],
    ...['--disable-userns', '--die-with-parent', '--new-session', '--as-pid-1', '--cap-drop', 'ALL'],
    ...['--uid', String(user.uid), '--gid', String(user.gid), '--hostname', 'sandbox'],
    ...['--seccomp', String(DESCRIPTORS.filter), '--json-status-fd', String(DESCRIPTORS.status)],
    ...plan.system.flatMap(systemArguments),
    ...['--proc', '/proc', '--dev', '/dev', '--size', temporary, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--size', temporary, '--perms', '1777', '--tmpfs', '/tmp', '--dir', '/var', '--symlink', '../tmp', '/var/tmp'],
    ...['--ro-bind', plan.etc, '/etc'],
    '--ro-bind',
  ]
  const after = [
    RUNNER_DIRECTORY,
    ...[plan.isReadOnly ? '--ro-bind-fd' : '--bind-fd', String(DESCRIPTORS.workspace), SANDBOX_WORKSPACE],
    ...plan.readOnly.flatMap(({ source, target }) => ['--ro-bind', source, target]),
    // Reading goes on until whoever opens the door closes this descriptor.
    ...(plan.waits ? ['--file', String(DESCRIPTORS.block), '/run/egress'] : []),
    // The root itself is memory, too: nothing may be written beside what has a limit.
    ...['--remount-ro', '/', '--chdir', SANDBOX_WORKSPACE],
    ...['--', `${RUNNER_DIRECTORY}/${RUNNER_SHELL}`, '-p', '-c', plan.program],
  ]
  return { before, after }
}

function systemArguments(directory: SystemDirectory): readonly string[] {
  if (directory.kind === 'directory') return ['--ro-bind', directory.path, directory.path]
  return ['--symlink', directory.target, directory.path]
}

/** The whole environment of a sandbox. */
export function sandboxEnvironment(own: Readonly<Record<string, string>>, proxied: boolean): Record<string, string> {
  const proxy = `http://127.0.0.1:${PROXY_PORT}`
  const names = proxied ? ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'] : []
  const proxies = Object.fromEntries(names.map((name) => [name, proxy]))
  return { ...ENVIRONMENT, ...proxies, ...own }
}

const LOCALE = /^(?:LANG|LANGUAGE|LC_[A-Z]+)$/

/** An environment in two parts: what chooses the locale, and the rest. */
export function splitLocale(environment: Readonly<Record<string, string>>): {
  readonly locale: Record<string, string>
  readonly rest: Record<string, string>
} {
  const entries = Object.entries(environment)
  const pick = (chosen: boolean) => Object.fromEntries(entries.filter(([name]) => LOCALE.test(name) === chosen))
  return { locale: pick(true), rest: pick(false) }
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Names by which an environment steers the shell or the loader instead of the command. */
const STEERING =
  /^(?:BASH.*|LD_.*|ENV|SHELLOPTS|POSIXLY_CORRECT|POSIX_PEDANTIC|TMOUT|PS4|IFS|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|MALLOC_.*)$/

/** What is wrong with an environment, in words; `null` when nothing is. Values are never repeated. */
export function findEnvironmentDefect(environment: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of Object.entries(environment)) {
    if (!ENVIRONMENT_NAME.test(name))
      return 'the environment has a name that is none: letters, digits and _, not starting with a digit'
    if (STEERING.test(name))
      return `the environment may not set ${name}, which steers the shell or the loader: set it in the command`
    if (value.includes('\0')) return `the value of ${name} in the environment contains U+0000`
  }
  return null
}
