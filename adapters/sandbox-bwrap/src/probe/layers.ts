import type { SandboxLayer } from '@tidegate/kernel'
import type { GroupParents } from '../control-group.ts'
import { type Host, NEEDED_OPTIONS } from '../host.ts'

/** The first Linux that counts processes for each user namespace by itself. */
const COUNTS_PROCESSES = [5, 14] as const

/** Says of everything that a sandbox is made of whether the host has it, and how to get it. */
export function surveyLayers(host: Host, groups: GroupParents | { readonly missing: string }): readonly SandboxLayer[] {
  const { bwrap, kernel } = host
  const absent = NEEDED_OPTIONS.filter((option) => bwrap?.options.has(option) === false)
  const grouped = !('missing' in groups)
  const counts =
    kernel !== null &&
    (kernel[0] > COUNTS_PROCESSES[0] || (kernel[0] === COUNTS_PROCESSES[0] && kernel[1] >= COUNTS_PROCESSES[1]))
  return [
    layer('linux', kernel !== null && host.machine !== null, {
      detail:
        kernel === null
          ? 'this is not Linux'
          : `Linux ${kernel.join('.')} on ${host.machine ?? 'a machine without a table of system calls'}`,
      get: 'run it on Linux on x86_64 or aarch64, in a virtual machine if need be',
    }),
    layer('bubblewrap', bwrap !== null && absent.length === 0, {
      detail:
        bwrap === null
          ? 'bwrap is not installed'
          : `version ${bwrap.version}${absent.length > 0 ? `, without ${absent.join(', ')}` : ''}`,
      get: 'install bubblewrap 0.11 or one with the security update of 2024: apt install bubblewrap, dnf install bubblewrap',
    }),
    layer('bash', host.bash !== null, { detail: host.bash ?? 'bash is not installed', get: 'apt install bash, apk add bash' }),
    layer('pipes', host.mkfifo !== null, { detail: host.mkfifo ?? 'mkfifo is not installed', get: 'apt install coreutils' }),
    layer('process limit', counts || grouped, {
      detail: counts
        ? 'the kernel counts processes for each sandbox'
        : 'this kernel counts the processes of a user, not of a sandbox',
      get: 'use Linux 5.14 or newer, or name a delegated control group',
    }),
    optional('control group', grouped, {
      detail: 'missing' in groups ? groups.missing : `version ${groups.version}: memory and processes of a sandbox together`,
      get: 'start the service with Delegate=yes and name its group; without it the limit of memory holds for each process alone',
    }),
    optional('door', host.nsenter !== null, {
      detail: host.nsenter ?? 'nsenter is not installed',
      get: 'apt install util-linux; without it no session can have a network',
    }),
    optional('system call probe', host.perl !== null, {
      detail: host.perl ?? 'perl is not installed',
      get: 'apt install perl-base; without it the filter is used but not proven',
    }),
  ]
}

/** Required layers that are missing. */
export function missingLayers(layers: readonly SandboxLayer[]): readonly SandboxLayer[] {
  return layers.filter(({ required, state }) => required && state === 'missing')
}

/** The layers that only a sandbox that runs can show: `complaint` is null when it did. */
export function startedLayer(complaint: string | null): SandboxLayer {
  return layer('user namespaces', complaint === null, {
    detail: complaint ?? 'a sandbox starts',
    get: 'allow unprivileged user namespaces: on Ubuntu with an AppArmor profile for bwrap, on Debian with kernel.unprivileged_userns_clone=1, in a container with a seccomp profile that permits them',
  })
}

interface Words {
  readonly detail: string
  readonly get: string
}

function layer(name: string, present: boolean, { detail, get }: Words): SandboxLayer {
  return { name, required: true, state: present ? 'present' : 'missing', detail, get: present ? null : get }
}

function optional(name: string, present: boolean, words: Words): SandboxLayer {
  return { ...layer(name, present, words), required: false }
}
