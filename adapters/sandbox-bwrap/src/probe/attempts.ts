import { type Machine, numberOf, REFUSED_CALLS, WATCHED_CALLS } from '../seccomp/syscalls.ts'

/** A system call to try from inside. `B` is the address of a buffer full of zeros. Held when it does not exist or is not permitted. */
export interface CallAttempt {
  readonly name: string
  readonly call: number
  readonly arguments: readonly (number | 'B')[]
}

const CLONE_NEWUSER = 0x10000000
const SIGCHLD = 17
const X32 = 0x40000000
const GETPID_X32 = 39
const NEVER_DEFINED = 4_000
const TIOCSTI = 0x5412
/** The kernel looks at the lower half only. */
const ABOVE = 0x1_0000_0000

/** Sockets that lead out of a network namespace, or to what is not a network. */
const FAMILIES = { unix: 1, netlink: 16, packet: 17, 'kernel crypto': 38, vsock: 40, bluetooth: 31, 'kernel connection': 41 }

/** What is tried through perl, which every Debian has and which can make any system call. */
export function callAttempts(machine: Machine): readonly CallAttempt[] {
  const index = machine === 'x86_64' ? 0 : 1
  const refused = Object.entries(REFUSED_CALLS).flatMap(([name, numbers]): readonly CallAttempt[] => {
    const call = numberOf(numbers, machine)
    // Would do harm if it worked: whatever ends the system, or hangs up our terminal.
    return call === null || name === 'reboot' || name === 'vhangup'
      ? []
      : [{ name: `call ${name}`, call, arguments: ['B', 'B', 0, 0, 0] }]
  })
  const sockets = Object.entries(FAMILIES).map(([name, family]): CallAttempt => {
    return { name: `socket ${name}`, call: WATCHED_CALLS.socket[index], arguments: [family, 1, 0] }
  })
  return [
    ...refused,
    ...sockets,
    { name: 'socket raw', call: WATCHED_CALLS.socket[index], arguments: [2, 3, 1] },
    { name: 'pair of datagram sockets', call: WATCHED_CALLS.socketpair[index], arguments: [1, 2, 0, 'B'] },
    { name: 'user namespace by clone', call: WATCHED_CALLS.clone[index], arguments: [CLONE_NEWUSER + SIGCHLD, 0, 0, 0, 0] },
    { name: 'clone3', call: WATCHED_CALLS.clone3[index], arguments: ['B', 64] },
    { name: 'terminal input', call: WATCHED_CALLS.ioctl[index], arguments: [0, TIOCSTI, 'B'] },
    { name: 'terminal input, high bits', call: WATCHED_CALLS.ioctl[index], arguments: [0, ABOVE + TIOCSTI, 'B'] },
    { name: 'unknown call', call: NEVER_DEFINED, arguments: [] },
    ...(machine === 'x86_64' ? [{ name: 'x32 call', call: X32 + GETPID_X32, arguments: [] }] : []),
  ]
}

const HELD_ERRORS = '1 38'

/** The attempts as a program for perl. It prints a line for each: name, state and detail, with tabs between. */
export function callProgram(attempts: readonly CallAttempt[]): string {
  const calls = attempts.map(({ name, call, arguments: values }) => {
    const list = values.map((value) => (value === 'B' ? '$b' : String(value))).join(',')
    return `attempt('${name}', sub { syscall(${[call, list].filter((part) => part !== '').join(',')}) });`
  })
  return [
    'use strict; $| = 1; my $b = "\\0" x 4096; my $me = $$;',
    'sub attempt { my ($name, $try) = @_; $! = 0; my $result = $try->(); my $error = $! + 0;',
    // A clone that worked made a second one of us.
    'if ($$ != $me) { kill 9, $$; }',
    `my $held = $result == -1 && grep { $_ == $error } qw(${HELD_ERRORS});`,
    'print join("\\t", $name, $held ? "held" : "leaked", $result == -1 ? "error $error" : "worked"), "\\n"; }',
    ...calls,
  ].join('\n')
}

/** What the host put out for the sandbox to find, if it can. */
export interface Canaries {
  readonly tcpPort: number
  readonly udpPort: number
  readonly secretFile: string
  /** A process of the host. */
  readonly pid: number
  /** Names that the environment may have. */
  readonly environment: readonly string[]
}

/** Attempts that need no more than a shell, as a program for it. Same lines. */
export function shellProgram({ tcpPort, udpPort, secretFile, pid, environment }: Canaries): string {
  const known = [...environment, 'PWD', 'OLDPWD', 'SHLVL', '_'].map((name) => `${name}=*`).join('|')
  return `
held() { printf '%s\\t%s\\t%s\\n' "$1" held "$2"; }
leaked() { printf '%s\\t%s\\t%s\\n' "$1" leaked "$2"; }
fails() { local name=$1; shift; if ("$@") >/tmp/probe 2>&1 </dev/null; then leaked "$name" 'it worked'; else held "$name" 'it failed'; fi; }
opens() { exec 7<>"$1"; }
reads() { local text; read -r -N 1 text <"$1"; }
writes() { printf x >"$1"; }
status() { local name value; while read -r name value; do [[ $name == "$1:" ]] && printf %s "$value"; done </proc/self/status; }
is() { if [[ $2 == "$3" ]]; then held "$1" "$2"; else leaked "$1" "$2"; fi; }
fails 'loopback of the host' opens /dev/tcp/127.0.0.1/${tcpPort}
(printf canary >/dev/udp/127.0.0.1/${udpPort}) 2>/dev/null
fails 'file of the host' reads '${secretFile}'
fails 'passwords of the host' reads /etc/shadow
fails 'write to /usr' writes /usr/bin/tidegate-probe
fails 'write to /etc' writes /etc/tidegate-probe
fails 'write to the root' writes /tidegate-probe
fails 'write to /dev' writes /dev/tidegate-probe
fails 'kernel objects' test -e /sys/kernel -o -e /sys/fs/cgroup -o -e /sys/class
fails 'settings of the kernel' writes /proc/sys/kernel/hostname
fails 'new device' mknod /tmp/probe-device c 1 3
fails 'mount' mount -t tmpfs none /tmp
fails 'memory of the runner' opens /proc/1/mem
fails 'environment of the runner' reads /proc/1/environ
fails 'descriptors of the runner' test -e /proc/1/fd/0 -o -r /proc/1/fd
fails 'program of the runner' reads /run/tidegate/shell
kill -KILL 1 2>/dev/null; kill -STOP 1 2>/dev/null
held 'end of the runner' 'it is still there'
set -- /proc/[0-9]*
if (( $# < 6 )); then held 'processes of the host' "$# processes"; else leaked 'processes of the host' "$# processes"; fi
if (( ${pid} > 100 )); then fails 'signal to the host' kill -0 ${pid}; fi
found=; for device in /dev/*; do case \${device#/dev/} in core|console|fd|full|null|ptmx|pts|random|shm|stderr|stdin|stdout|tty|urandom|zero) ;; *) found+=" $device" ;; esac; done
is 'devices' "$found" ''
found=; while IFS= read -r -d '' line; do case $line in ${known}) ;; *) found+=" \${line%%=*}" ;; esac; done </proc/self/environ
is 'environment' "$found" ''
found=; for f in /proc/self/fd/*; do [[ -e $f || -L $f ]] && case \${f##*/} in 0|1|2) ;; *) found+=" \${f##*/}" ;; esac; done
is 'descriptors' "$found" ''
found=; while read -r line; do case $line in Inter-*|face*|lo:*) ;; *) found+=" \${line%%:*}" ;; esac; done </proc/net/dev
is 'network interfaces' "$found" ''
is 'privileges by setuid' "$(status NoNewPrivs)" 1
is 'filter' "$(status Seccomp)" 2
for set in CapInh CapPrm CapEff CapBnd CapAmb; do is "capabilities $set" "$(status $set)" 0000000000000000; done
if [[ $UID == 0 || $EUID == 0 ]]; then leaked 'user' "$UID"; else held 'user' "$UID"; fi
for limit in c d f n t u; do if [[ $(ulimit -H -$limit) == unlimited ]]; then leaked "limit -$limit" unlimited; else held "limit -$limit" "$(ulimit -H -$limit)"; fi; done
`
}
