import type { ProgramTable } from '../program.ts'

/** Editors: without a terminal they are interpreters, and nearly all of them can start a shell. */
export const EDITORS: ProgramTable = {
  'ex vimx': {
    takes: { code: '-c --cmd +', script: '-S -u', text: '-t' },
    style: 'words',
    operands: 'write',
    language: 'vim',
    stdin: 'commands',
    mutability: 'write',
  },
  'vim vi nvim view vimdiff rvim gvim vim.basic vim.tiny vim.nox': {
    takes: { code: '-c --cmd +', script: '-S -s -u -U', text: '-t -T', write: '-w -W -o' },
    style: 'words',
    operands: 'write',
    language: 'vim',
    stdin: 'commands',
    mutability: 'write',
  },
  'ed red': { takes: { text: '-p --prompt' }, operands: 'write', language: 'ed', stdin: 'commands', mutability: 'write' },
  'emacs emacsclient xemacs': {
    style: 'words',
    takes: { code: '--eval -eval --execute -f --funcall', script: '-l --load --script -script -q' },
    categories: ['shell-escape'],
    operands: 'write',
    mutability: 'write',
  },
  'nano pico micro joe jed mcedit kak hx ne vile jove sam': {
    operands: 'write',
    takes: { command: '-s --speller' },
    categories: ['shell-escape'],
    mutability: 'write',
  },
  'mc ranger nnn lf vifm fzf sk peco dialog whiptail gum': {
    categories: ['shell-escape'],
    takes: { command: '--preview --bind' },
    operands: 'text',
  },
}
