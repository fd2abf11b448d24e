import type { ProgramTable } from '../program.ts'

/** Shells, and the words of the shell that need no state of it. */
export const SHELL: ProgramTable = {
  'sh bash dash ash zsh ksh mksh rbash yash posh': {
    style: 'posix',
    takes: { command: '-c', text: '-o +o', script: '--rcfile --init-file' },
    operands: 'script',
    instead: '-c',
    language: 'shell',
    stdin: 'code',
  },
  'fish csh tcsh pwsh powershell nu elvish xonsh': { categories: ['interpreter-inline'], operands: 'scan', mutability: 'write' },
  echo: { style: 'none', operands: 'text', output: 'echo' },
  'true false : pwd dirs jobs wait times ulimit umask type hash history exit return break continue caller suspend bg fg logout shopt help disown':
    { operands: 'text', output: 'token' },
  'which whereis': { operands: 'text', output: 'token' },
  'kill pkill killall skill killall5 fuser': {
    operands: 'text',
    categories: ['process-control'],
    mutability: 'write',
    isTameInside: true,
  },
  'builtin command': { style: 'posix', operands: 'argv', unless: '-v -V', output: 'token' },
}
