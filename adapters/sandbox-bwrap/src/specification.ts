import { SANDBOX_WORKSPACE, type SandboxCommand, type SandboxSpec } from '@tidegate/kernel'
import { posix } from 'node:path'
import { findEnvironmentDefect } from './arguments.ts'
import { findLimitDefect, REQUEST_LIMITS } from './limits.ts'
import { argumentsScript, encodeFrame, RUNNER_DIRECTORY } from './runner.ts'

const SESSION_ID = /^[A-Za-z0-9._-]{1,64}$/

/** What may not be laid over from outside: it is made up inside. */
const OUR_PLACES = ['/', '/proc', '/dev', '/dev/shm', '/etc', '/tmp', '/run', RUNNER_DIRECTORY, SANDBOX_WORKSPACE]

/** What is wrong with a specification, in words; `null` when nothing is. */
export function findSpecificationDefect(spec: SandboxSpec): string | null {
  if (!SESSION_ID.test(spec.id)) return 'the id of a session has to be 1 to 64 letters, digits, dots, hyphens and underscores'
  if (!isPlainPath(spec.workspace) || spec.workspace === '/')
    return 'the workspace has to be an absolute path without . and .., and not /'
  if (spec.readOnly.length > REQUEST_LIMITS.readOnlyMounts)
    return `at most ${REQUEST_LIMITS.readOnlyMounts} extra mounts are possible`
  for (const { source, target } of spec.readOnly) {
    if (!isPlainPath(source) || !isPlainPath(target)) return 'an extra mount has to have absolute paths without . and ..'
    if (OUR_PLACES.includes(target) || under(target, ['/proc', '/dev', RUNNER_DIRECTORY]))
      return `nothing can be mounted at ${target}`
  }
  const entries = Object.entries(spec.environment)
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 2, 0)
  if (entries.length > REQUEST_LIMITS.environmentEntries || bytes > REQUEST_LIMITS.environmentBytes) {
    return `the environment is larger than ${REQUEST_LIMITS.environmentEntries} entries or ${REQUEST_LIMITS.environmentBytes} bytes`
  }
  return findEnvironmentDefect(spec.environment) ?? findLimitDefect(spec.limits)
}

function isPlainPath(path: string): boolean {
  const short = path.length <= REQUEST_LIMITS.pathLength && !path.includes('\0') && path.isWellFormed()
  return short && posix.isAbsolute(path) && (posix.normalize(path) === path || posix.normalize(path) === `${path}/`)
}

function under(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => path.startsWith(`${directory}/`))
}

/** A command as bytes for the runner, or what is wrong with it. */
export type Encoded =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'defect'; readonly message: string }

/** Checks and encodes a command. Who controls it: the model, and so perhaps the attacker. */
export function encodeCommand(command: SandboxCommand): Encoded {
  const words = typeof command.command === 'string' ? [command.command] : command.command
  const defect = findWordsDefect(words) ?? findInputDefect(command)
  if (defect !== null) return { kind: 'defect', message: defect }
  const script = typeof command.command === 'string' ? command.command : argumentsScript(command.command)
  const cwd = posix.resolve(SANDBOX_WORKSPACE, command.cwd ?? '.')
  return { kind: 'frame', frame: encodeFrame({ script, cwd, stdin: command.stdin !== undefined }) }
}

function findWordsDefect(words: readonly string[]): string | null {
  if (words[0] === undefined || words[0] === '') return 'the command is empty'
  if (words.length > REQUEST_LIMITS.arguments) return `the command has more than ${REQUEST_LIMITS.arguments} arguments`
  let bytes = 0
  for (const word of words) {
    if (word.includes('\0')) return 'the command contains U+0000, which no command can'
    if (!word.isWellFormed()) return 'the command contains half of a surrogate pair, which has no bytes'
    bytes += Buffer.byteLength(word) + 1
  }
  return bytes > REQUEST_LIMITS.commandBytes ? `the command is longer than ${REQUEST_LIMITS.commandBytes} bytes` : null
}

function findInputDefect({ stdin, cwd, timeoutMs }: SandboxCommand): string | null {
  if (stdin !== undefined && stdin.length > REQUEST_LIMITS.stdinBytes)
    return `standard input is longer than ${REQUEST_LIMITS.stdinBytes} bytes`
  if (cwd !== undefined && (cwd.includes('\0') || !cwd.isWellFormed() || cwd.length > REQUEST_LIMITS.pathLength)) {
    return 'the directory to start in is no path'
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) return 'the time limit has to be more than 0 ms'
  return null
}
