/** What every contender runs: a program, as nearly every command does. */
export const COMMAND = '/bin/true'
