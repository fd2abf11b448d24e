import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CliError } from '../error.ts'
import type { Shell } from '../shell.ts'
import { findProject, stateDirectory } from './find-project.ts'

const MAX_TOKEN = 512
/** How the tokens of hosts are named: they open nothing that a command of a person needs. */
const HOST = 'host-'

/** Why a token is needed: whoever changes something must say who they are. */
export type Purpose = 'look' | 'change'

/** The token to use: `--token-file`, or that of `--as`, or the only one there is; for looking, any one will do. */
export function findToken(shell: Shell, purpose: Purpose): string {
  const { options, env, cwd } = shell
  if (options.tokenFile !== undefined) return readToken(resolve(cwd, options.tokenFile))
  const directory = join(stateDirectory(findProject(shell)), 'tokens')
  const names = namesIn(directory)
  const as = options.as ?? (env.TIDEGATE_AS || undefined)
  if (as !== undefined) {
    const name = as.replace(/^user:/, '')
    if (names.includes(name)) return readToken(join(directory, `${name}.token`))
    throw new CliError(
      'token_not_found',
      `There is no token for ${as}. There are: ${names.join(', ') || 'none; start the server first'}.`,
    )
  }
  const people = names.filter((name) => !name.startsWith(HOST))
  const [first] = people
  if (first === undefined)
    throw new CliError(
      'token_not_found',
      `There are no tokens in ${directory}. The server makes them: start it with \`tidegate up\`.`,
    )
  if (purpose === 'change' && people.length > 1)
    throw new CliError('usage_invalid', `Say who you are with --as: ${people.join(', ')}.`)
  return readToken(join(directory, `${first}.token`))
}

/** The token of a host: for speaking as it does. */
export function readHostToken(project: string, host: string): string {
  return readToken(join(stateDirectory(project), 'tokens', `${HOST}${host}.token`))
}

/** The people who have a token here, sorted. */
export function namesIn(directory: string): readonly string[] {
  try {
    const files = readdirSync(directory).filter((name) => /^[\w.@-]{1,100}\.token$/.test(name))
    return files.map((name) => name.slice(0, -'.token'.length)).toSorted()
  } catch {
    return []
  }
}

function readToken(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CliError('token_not_found', `The token file ${file} cannot be read.`, { cause })
  }
  if (text.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(text))
    throw new CliError('token_not_found', `The file ${file} holds no token.`)
  return text
}
