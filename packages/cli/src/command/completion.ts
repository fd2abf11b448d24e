import type { Command } from 'commander'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Shell } from '../shell.ts'

/** What may be typed after each sequence of commands: `runs` -> `list show watch --state ...`. */
type Words = readonly (readonly [string, readonly string[]])[]

/** Prints a completion script for a shell, made from the commands as they are. */
export async function completion(shell: Shell, program: Command, name: string): Promise<ExitCode> {
  const scripts: Readonly<Record<string, (words: Words) => string>> = { bash, zsh, fish }
  const script = scripts[name]
  if (script === undefined) throw new CliError('usage_invalid', 'Completion is there for bash, zsh and fish.')
  const globals = program.options.flatMap(({ long }) => long ?? [])
  shell.result({ shell: name, script: script(wordsOf(program, [], globals)) }, (view) => view.script)
  return EXIT.ok
}

function wordsOf(command: Command, path: readonly string[], globals: readonly string[]): Words {
  const own = [...command.commands.map((each) => each.name()), ...command.options.flatMap(({ long }) => long ?? []), ...globals]
  return [
    [path.join(' '), [...new Set(own)]],
    ...command.commands.flatMap((each) => wordsOf(each, [...path, each.name()], globals)),
  ]
}

function bash(words: Words): string {
  const cases = words.map(([path, own]) => `    ${quoted(path)}) words=${quoted(own.join(' '))} ;;`)
  return `_tidegate() {
  local path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) path="\${path:+$path }\${COMP_WORDS[i]}" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tidegate tidegate`
}

function zsh(words: Words): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
}

function fish(words: Words): string {
  const lines = words.flatMap(([path, own]) => {
    const depth = path === '' ? 0 : path.split(' ').length
    const condition =
      path === '' ? '__fish_use_subcommand' : `test (string join ' ' (commandline -opc)[2..${depth + 1}]) = ${quoted(path)}`
    return [`complete -c tidegate -f -n ${quoted(condition.replaceAll("'", '"'))} -a ${quoted(own.join(' '))}`]
  })
  return lines.join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
