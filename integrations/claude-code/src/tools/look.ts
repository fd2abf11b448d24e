import { placeOf } from './place.ts'

/** A word of a shell without any meaning to it. */
const WORD = /^[A-Za-z0-9_./,:@+=~-]+$/
const MAX_COMMAND = 1_000
/** Options by which a program that only looks would write, run or send something. None of these is let through to any of them. */
const FLAGS = /^-{1,2}[A-Za-z0-9][A-Za-z0-9-]*(?:=[A-Za-z0-9_./,:@+-]*)?$/

/** Programs that only look, whatever their options are. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'ls',
  'pwd',
  'cat',
  'head',
  'tail',
  'wc',
  'stat',
  'du',
  'df',
  'whoami',
  'id',
  'uname',
  'which',
  'basename',
  'dirname',
  'true',
])
/** What git shows, with the options that do no more. */
const GIT: Readonly<Record<string, RegExp>> = {
  status: /^(?:-s|-b|-sb|--short|--branch|--porcelain|-uno|-uall)$/,
  log: /^(?:--oneline|--stat|--graph|--all|--decorate|--name-only|--name-status|-p|-\d{1,4}|-n|--since=[\w.:-]+|--author=[\w.@-]+)$/,
  diff: /^(?:--stat|--name-only|--name-status|--cached|--staged|-w|--no-color)$/,
  show: /^(?:--stat|--name-only|--name-status|--oneline|-s)$/,
  'rev-parse': /^(?:--abbrev-ref|--short|--show-toplevel|HEAD)$/,
  'ls-files': /^(?:-m|-o|-d|--others|--exclude-standard)$/,
}

/**
 * Whether a command certainly only looks: one program of a short list, in plain words that mean the same to every shell, and no path to
 * secrets among them. Everything else is taken for what a shell can do, which is anything.
 */
export function onlyLooks(command: string, cwd: string | undefined): boolean {
  if (command.length > MAX_COMMAND) return false
  const words = command.trim().split(/ +/)
  const [program = '', ...rest] = words
  if (!words.every((word) => WORD.test(word)) || rest.some((word) => placeOf(word.replace(/^-.*?=/, ''), cwd) === 'secret'))
    return false
  if (program === 'git') {
    const [verb = '', ...args] = rest
    const allowed = Object.hasOwn(GIT, verb) ? GIT[verb] : undefined
    return allowed !== undefined && args.every((arg) => !arg.startsWith('-') || allowed.test(arg))
  }
  return PROGRAMS.has(program) && rest.every((word) => !word.startsWith('-') || FLAGS.test(word))
}
