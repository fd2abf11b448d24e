import { parseArgs } from 'node:util'
import { CONTENDERS, type Contender } from './actions.ts'
import { ACTIONS_PER_RUN, parseCount } from './child-arguments.ts'
import { BenchError } from './error.ts'
import type { Load } from './load.ts'

export type BenchCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'memory'; readonly actions: number }
  | { readonly kind: 'verify'; readonly entries: number }
  | { readonly kind: 'actions'; readonly load: Load; readonly only: ReadonlySet<Contender>; readonly json: boolean }

export const USAGE = `npm run --silent bench -- <command>

  actions   durable governed actions per second: ours, the floor, and the peers
      --actions N      stop after N actions each (100000)
      --in-flight K    actions under way at once (64)
      --seconds S      stop the floor and the peers after S seconds each (10)
      --only LIST      some of ${CONTENDERS.join(',')}
      --json           one JSON document instead of a table
  memory    resident memory of ours while it performs a million actions
      --actions N      (1000000)
  verify    time to verify a ledger offline
      --entries N      (1000000)

The result goes to stdout, progress to stderr. bench/README.md says what is measured and how to install the peers.`

/** Parses the command line, or throws `arguments_invalid` with a message that says what is wrong. */
export function parseCommand(argv: readonly string[]): BenchCommand {
  const [name, ...rest] = argv
  if (name === '--help' || name === '-h' || name === 'help' || rest.includes('--help')) return { kind: 'help' }
  switch (name) {
    case 'actions':
      return parseActions(rest)
    case 'memory':
      return { kind: 'memory', actions: parseOnly(rest, 'actions') }
    case 'verify':
      return { kind: 'verify', entries: parseOnly(rest, 'entries') }
    default:
      throw new BenchError(
        'arguments_invalid',
        `${name === undefined ? 'a command is missing' : `there is no command "${name}"`}: try --help`,
      )
  }
}

function parseActions(args: string[]): BenchCommand {
  const values = parseOptions(args, {
    actions: { type: 'string', default: '100000' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', default: CONTENDERS.join(',') },
    json: { type: 'boolean', default: false },
  })
  const load = {
    actions: parseCount('--actions', String(values.actions), 100_000_000),
    inFlight: parseCount('--in-flight', String(values['in-flight']), 10_000),
    seconds: parseCount('--seconds', String(values.seconds), 3_600),
    actionsPerRun: ACTIONS_PER_RUN,
  }
  return { kind: 'actions', load, only: parseContenders(String(values.only)), json: values.json === true }
}

function parseContenders(list: string): ReadonlySet<Contender> {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isContender(name))
  if (unknown !== undefined)
    throw new BenchError('arguments_invalid', `--only does not know "${unknown}": choose of ${CONTENDERS.join(',')}`)
  return new Set(names.filter(isContender))
}

function isContender(name: string): name is Contender {
  return CONTENDERS.some((contender) => contender === name)
}

function parseOnly(args: string[], option: 'actions' | 'entries'): number {
  const values = parseOptions(args, { [option]: { type: 'string', default: '1000000' } })
  return parseCount(`--${option}`, String(values[option]), 100_000_000)
}

type Options = Record<string, { type: 'string'; default: string } | { type: 'boolean'; default: boolean }>

function parseOptions(args: string[], options: Options): Record<string, unknown> {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values
  } catch (cause) {
    throw new BenchError('arguments_invalid', `${cause instanceof Error ? cause.message : String(cause)}: try --help`, { cause })
  }
}
