import { assemble, type Step } from './assemble.ts'
import { AUDIT_ARCHITECTURES, LAST_KNOWN_CALL, type Machine, numberOf, REFUSED_CALLS, WATCHED_CALLS } from './syscalls.ts'

// `struct seccomp_data`: the call, the architecture, and the low halves of its first arguments.
const CALL = 0
const ARCHITECTURE = 4
const FIRST = 16
const SECOND = 24
const THIRD = 32

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

/** Every CLONE_NEW* flag that `clone` knows: mount, cgroup, uts, ipc, user, pid and network namespaces. */
const NEW_NAMESPACES = 0x7e020000

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_SEQPACKET = 5
/** The flags SOCK_CLOEXEC and SOCK_NONBLOCK stand above it. */
const SOCK_TYPE_MASK = 0xf
const TRANSPORTS = [0, 6, 17]

/** Input into the terminal and into the console, and changing what interprets a terminal's bytes. */
const REFUSED_IOCTLS = [0x5412, 0x541c, 0x5423]

/**
 * The seccomp filter of every command, as `bwrap --seccomp` takes it.
 *
 * Default is allow, so that ordinary programs run. Calls of another architecture kill the process. Refused with EPERM: the list, new
 * namespaces, sockets that are not plain TCP or UDP over IP (AF_UNIX reaches sockets that lie in the workspace; AF_VSOCK and AF_NETLINK
 * are not contained by a network namespace), pairs of sockets that could be sent elsewhere, input into terminals. `clone3` hides its
 * arguments in memory and does not exist, so that C libraries take `clone`.
 */
export function buildFilter(machine: Machine): Uint8Array {
  const on = (name: keyof typeof WATCHED_CALLS): number => WATCHED_CALLS[name][machine === 'x86_64' ? 0 : 1]
  const refused = Object.values(REFUSED_CALLS).flatMap((numbers) => numberOf(numbers, machine) ?? [])
  return assemble([
    { kind: 'load', offset: ARCHITECTURE },
    { kind: 'equal', value: AUDIT_ARCHITECTURES[machine], to: 'ours' },
    { kind: 'answer', value: KILL_PROCESS },
    { kind: 'label', name: 'ours' },
    { kind: 'load', offset: CALL },
    { kind: 'greater', value: LAST_KNOWN_CALL, to: 'absent' },
    { kind: 'equal', value: on('clone3'), to: 'absent' },
    ...refused.map((value): Step => ({ kind: 'equal', value, to: 'refused' })),
    { kind: 'equal', value: on('clone'), to: 'clone' },
    { kind: 'equal', value: on('ioctl'), to: 'ioctl' },
    { kind: 'equal', value: on('socket'), to: 'socket' },
    { kind: 'equal', value: on('socketpair'), to: 'socketpair' },
    { kind: 'answer', value: ALLOW },

    { kind: 'label', name: 'clone' },
    { kind: 'load', offset: FIRST },
    { kind: 'anyBit', value: NEW_NAMESPACES, to: 'refused' },
    { kind: 'answer', value: ALLOW },

    { kind: 'label', name: 'ioctl' },
    { kind: 'load', offset: SECOND },
    ...REFUSED_IOCTLS.map((value): Step => ({ kind: 'equal', value, to: 'refused' })),
    { kind: 'answer', value: ALLOW },

    ...socketSteps(),
    ...socketpairSteps(),
    { kind: 'label', name: 'allowed' },
    { kind: 'answer', value: ALLOW },
    { kind: 'label', name: 'refused' },
    { kind: 'answer', value: EPERM },
    { kind: 'label', name: 'absent' },
    { kind: 'answer', value: ENOSYS },
  ])
}

function socketSteps(): readonly Step[] {
  return [
    { kind: 'label', name: 'socket' },
    { kind: 'load', offset: FIRST },
    { kind: 'equal', value: AF_INET, to: 'socket type' },
    { kind: 'equal', value: AF_INET6, to: 'socket type' },
    { kind: 'answer', value: EPERM },
    { kind: 'label', name: 'socket type' },
    { kind: 'load', offset: SECOND },
    { kind: 'and', value: SOCK_TYPE_MASK },
    { kind: 'equal', value: SOCK_STREAM, to: 'transport' },
    { kind: 'equal', value: SOCK_DGRAM, to: 'transport' },
    { kind: 'answer', value: EPERM },
    { kind: 'label', name: 'transport' },
    { kind: 'load', offset: THIRD },
    ...TRANSPORTS.map((value): Step => ({ kind: 'equal', value, to: 'allowed' })),
    { kind: 'answer', value: EPERM },
  ]
}

/** Connected pairs stay connected; a pair of datagram sockets could send to any other address. */
function socketpairSteps(): readonly Step[] {
  return [
    { kind: 'label', name: 'socketpair' },
    { kind: 'load', offset: FIRST },
    { kind: 'equal', value: AF_UNIX, to: 'pair type' },
    { kind: 'answer', value: EPERM },
    { kind: 'label', name: 'pair type' },
    { kind: 'load', offset: SECOND },
    { kind: 'and', value: SOCK_TYPE_MASK },
    { kind: 'equal', value: SOCK_STREAM, to: 'allowed' },
    { kind: 'equal', value: SOCK_SEQPACKET, to: 'allowed' },
    { kind: 'answer', value: EPERM },
  ]
}
