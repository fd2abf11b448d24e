import type { SandboxLimits } from '@tidegate/kernel'
import { quoteWord } from './quote.ts'

// The resident shell of a sandbox, and how it is talked to.
//
// W1. The runner is process 1 of its namespace: nothing inside can kill or stop it, and when it ends, everything ends.
// W2. The runner cannot be looked into: its program may be executed but not read, so the kernel denies its memory, its descriptors and
//     its environment to everything inside.
// W3. A command never holds a descriptor of the runner: it gets standard input, output and error, the last two opened anew.
// W4. Before the runner says how a command ended, nothing else is alive inside: `kill -1` of process 1 reaches everything but itself, and
//     fails only when there is nothing left, dead ones included.
// W5. The end is marked with a nonce that the runner reads after the command is gone and everything is dead. Whoever does not know
//     it cannot mark an end, and what comes before the mark is all there was.
// W6. A command that was read begins its output with a sign, before anything of it runs. Without the sign it was never taken (its
//     shell may have died of what the last command left in memory), and the sandbox is thrown away.
// W7. The runner counts its shells, and a shell takes no command but the one with its own number: one that was not taken by the shell
//     that it was meant for is never taken by the next. And no shell is started before the host has seen that all is well, so that
//     none can read on in a command that another one began to read.

/** Descriptors of the runner. Those from `group` on are for control groups, written to once and closed. */
export const DESCRIPTORS = { frames: 0, stdout: 1, stderr: 2, nonces: 3, status: 4, filter: 5, workspace: 6, block: 7, group: 8 }

/** Where the runner's own files lie inside. */
export const RUNNER_DIRECTORY = '/run/tidegate'
export const RUNNER_SHELL = 'shell'
export const STDIN_FILE = 'stdin'

/** Hexadecimal digits of a nonce, and decimal digits of the exit code behind it. */
export const NONCE_LENGTH = 32
export const CODE_LENGTH = 3

/** What lets the runner start the next shell. */
export const GO = 'g'

/** The first byte on standard output of a command that was read. */
export const TAKEN = 0x2b

/** What a shell exits with when the directory that the command is to start in cannot be entered. */
export const NO_DIRECTORY_EXIT = 125

const LENGTH_DIGITS = 10

/** The resident shell and the shell that becomes the command count towards the limit of processes, too. */
export const OWN_PROCESSES = 2

/**
 * The program of the runner, for `bash -p -c`. It closes what it inherited, enters its control groups, says that it is there, and then
 * starts a fresh shell for one command after the other. The shell is started before its command arrives, which hides what that costs.
 *
 * The locale is for that shell alone: loading it takes a quarter of the time in which a shell starts.
 */
export function runnerProgram(
  limits: SandboxLimits,
  parts: { readonly groups: number; readonly locale: Readonly<Record<string, string>> },
): string {
  const { groups, locale } = parts
  const assignments = Object.entries(locale).map(([name, value]) => `${name}=${quoteWord(value)} `)
  const enter = Array.from({ length: groups }, (_, index) => `printf 0 >&${DESCRIPTORS.group + index} || exit 71`)
  return [
    'set +m',
    ...enter,
    // Nothing may be redirected around this loop: bash would keep the real descriptor above 3 meanwhile.
    `open=; for f in /proc/self/fd/*; do f=\${f##*/}; if ((f > 3)); then open+=" $f>&-"; fi; done; eval "exec $open"`,
    // What bash itself has to say about a command that was killed is nothing that the command said.
    'exec 4>&2 2>/dev/null',
    // Whatever is started from here on inherits them. One that cannot be set is stricter already: only raising is denied.
    ...inheritedLimits(limits).map((limit) => `ulimit ${limit}`),
    'code=0 number=0',
    'while :; do',
    'read -r -N 32 -u 3 nonce || exit 70',
    `printf '%s%03d' "$nonce" "$code" >&4 || exit 70`,
    `printf '%s%03d' "$nonce" "$code" || exit 70`,
    // Before the first shell there was none that could have read half a command.
    '((number == 0)) || read -r -N 1 -u 3 go || exit 70',
    `${assignments.join('')}/bin/bash -c ${quoteWord(shellProgram(limits, locale))} bash $((++number)) 2>&4 3>&- 4>&-`,
    'code=$?',
    'while kill -KILL -1; do read -r -t 0.001 -N 1 -u 0 extra; done',
    'done',
  ].join('\n')
}

function inheritedLimits(limits: SandboxLimits): readonly string[] {
  const kilobytes = (bytes: number): number => Math.ceil(bytes / 1024)
  return [
    '-c 0',
    '-n 4096',
    `-u ${limits.processes + OWN_PROCESSES}`,
    `-d ${kilobytes(limits.memoryBytes)}`,
    `-f ${kilobytes(limits.fileBytes)}`,
  ]
}

/** The program of the shell that becomes the command: limits, fresh descriptors, then it reads a prelude and the command. */
function shellProgram(limits: SandboxLimits, locale: Readonly<Record<string, string>>): string {
  return [
    // Of each process, and so not of the runner, which lives longer.
    `ulimit -t ${limits.cpuSeconds} 2>/dev/null`,
    // Looked at before, because bash would say that it cannot, into the end of the command before.
    `[[ -w /proc/self/fd/1 && -w /proc/self/fd/2 ]] && exec >/proc/self/fd/1 2>/proc/self/fd/2 || exit ${NO_DIRECTORY_EXIT}`,
    'echo 500 >/proc/self/oom_score_adj',
    // Lengths are bytes.
    'LC_ALL=C',
    `read -r -N ${3 * LENGTH_DIGITS} h || exit 0`,
    `((10#\${h:0:${LENGTH_DIGITS}} == $1)) || exit 0`,
    'set --',
    `read -r -N "$((10#\${h:${LENGTH_DIGITS}:${LENGTH_DIGITS}}))" p && read -r -N "$((10#\${h:${2 * LENGTH_DIGITS}}))" c || exit 0`,
    locale.LC_ALL === undefined ? 'unset -v LC_ALL' : `LC_ALL=${quoteWord(locale.LC_ALL)}`,
    'eval "$p"',
    'eval "unset -v h p c;$c"',
  ].join('\n')
}

/** One command as bytes for the runner, but for its number. `cwd` is absolute. The texts hold no U+0000. */
export function encodeFrame(command: { readonly script: string; readonly cwd: string; readonly stdin: boolean }): Uint8Array {
  const input = command.stdin ? `${RUNNER_DIRECTORY}/${STDIN_FILE}` : '/dev/null'
  // A shell goes on after a redirection that failed: the command would hold the descriptor of the runner (W3).
  const prelude = Buffer.from(
    `printf ${String.fromCharCode(TAKEN)}; exec <${input} && cd -- ${quoteWord(command.cwd)} || exit ${NO_DIRECTORY_EXIT}`,
  )
  const script = Buffer.from(command.script)
  const header = [prelude, script].map(({ length }) => encodeNumber(length)).join('')
  return Buffer.concat([Buffer.from(header), prelude, script])
}

/** What goes before the frame of the command with this number, counted from 1 in each sandbox. */
export function encodeNumber(number: number): string {
  return String(number).padStart(LENGTH_DIGITS, '0')
}

/** A program with its arguments as a text for the shell: replaced by the program, so that nothing of the shell remains. */
export function argumentsScript(words: readonly string[]): string {
  return `exec -- ${words.map(quoteWord).join(' ')}`
}
