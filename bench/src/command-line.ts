import { parseArgs } from 'node:util'
import { CONTENDERS, type Contender } from './actions.ts'
import { ACTIONS_PER_RUN, parseCount } from './child-arguments.ts'
import { BenchError } from './error.ts'
import type { Load } from './load.ts'
import { POLICY_ENGINE_NAMES, type PolicyEngineName } from './policy/engines.ts'
import { LEAST_POLICIES, MOST_POLICIES, POLICY_SIZES } from './policy/sizes.ts'

export type BenchCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'memory'; readonly actions: number }
  | { readonly kind: 'verify'; readonly entries: number }
  | PolicyCommand
  | McpCommand
  | ExecCommand
  | { readonly kind: 'actions'; readonly load: Load; readonly only: ReadonlySet<Contender>; readonly json: boolean }

interface PolicyCommand {
  readonly kind: 'policy'
  readonly sizes: readonly number[]
  readonly only: ReadonlySet<PolicyEngineName>
  readonly milliseconds: number
  readonly json: boolean
}

interface McpCommand {
  readonly kind: 'mcp'
  readonly calls: number
  readonly seconds: number
  readonly rounds: number
  readonly inFlight: number
  readonly json: boolean
}

interface ExecCommand {
  readonly kind: 'exec'
  readonly commands: number
  readonly pauseMs: number
  readonly json: boolean
}

/** How long each engine is measured with each set. */
const POLICY_MILLISECONDS = 2_000

/** What `policy --quick` measures: no peer, no large set, no time for figures that could be quoted. */
const QUICK = { sizes: [10, 100], only: ['ours', 'ours-product', 'typescript'], milliseconds: 50 } as const

export const USAGE = `npm run --silent bench -- <command>

  actions   durable governed actions per second: ours, the floor, and the peers
      --actions N      stop after N actions each (100000)
      --in-flight K    actions under way at once (64)
      --seconds S      stop the floor and the peers after S seconds each (10)
      --only LIST      some of ${CONTENDERS.join(',')}
      --json           one JSON document instead of a table
  policy    policy decisions per CPU-second and their latency: ours and the peers, with sets of ${POLICY_SIZES.join(', ')} policies
      --sizes LIST     other sizes
      --only LIST      some of ${POLICY_ENGINE_NAMES.join(',')}
      --quick          ours alone, for a moment: checks the answers, measures nothing worth quoting
      --json           one JSON document instead of a table
  mcp       calls of an MCP server: straight to it, through ours with everything on, and through another gateway
      --calls N        stop one call at a time after N (2000)
      --in-flight K    calls under way at once, afterwards (16)
      --seconds S      the most that each of the two takes (5)
      --rounds R       the middle of so many (3)
      --json           one JSON document instead of a table
  exec      shell commands: plain, in our sandbox warm and cold, in a bare bubblewrap, and in another sandbox
      --commands N     of each contender (300)
      --pause MS       before each command where it is paced (10)
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
    case 'policy':
      return parsePolicy(rest)
    case 'mcp':
      return parseMcp(rest)
    case 'exec':
      return parseExec(rest)
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
  return { kind: 'actions', load, only: parseNames(String(values.only), CONTENDERS), json: values.json === true }
}

function parsePolicy(args: string[]): PolicyCommand {
  const values = parseOptions(args, {
    sizes: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  })
  const quick = values.quick === true
  const only = values.only === '' ? (quick ? QUICK.only : POLICY_ENGINE_NAMES) : String(values.only)
  const sizes = values.sizes === '' ? (quick ? QUICK.sizes : POLICY_SIZES) : parseSizes(String(values.sizes))
  return {
    kind: 'policy',
    sizes,
    only: typeof only === 'string' ? parseNames(only, POLICY_ENGINE_NAMES) : new Set(only),
    milliseconds: quick ? QUICK.milliseconds : POLICY_MILLISECONDS,
    json: values.json === true,
  }
}

function parseMcp(args: string[]): McpCommand {
  const values = parseOptions(args, {
    calls: { type: 'string', default: '2000' },
    'in-flight': { type: 'string', default: '16' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  })
  return {
    kind: 'mcp',
    calls: parseCount('--calls', String(values.calls), 1_000_000),
    inFlight: parseCount('--in-flight', String(values['in-flight']), 1_000),
    seconds: parseCount('--seconds', String(values.seconds), 600),
    rounds: parseCount('--rounds', String(values.rounds), 100),
    json: values.json === true,
  }
}

function parseExec(args: string[]): ExecCommand {
  const values = parseOptions(args, {
    commands: { type: 'string', default: '300' },
    pause: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  })
  const commands = parseCount('--commands', String(values.commands), 100_000)
  return { kind: 'exec', commands, pauseMs: parseCount('--pause', String(values.pause), 10_000), json: values.json === true }
}

/** Six rules of every set are for everybody, so no set is smaller. */
function parseSizes(list: string): readonly number[] {
  const sizes = list.split(',').map((size) => parseCount('--sizes', size.trim(), MOST_POLICIES))
  if (sizes.every((size) => size >= LEAST_POLICIES)) return sizes
  throw new BenchError('arguments_invalid', `--sizes must be whole numbers from ${LEAST_POLICIES} to ${MOST_POLICIES}`)
}

function parseNames<Name extends string>(list: string, known: readonly Name[]): ReadonlySet<Name> {
  const names = list.split(',').map((name) => name.trim())
  const find = (name: string): Name | undefined => known.find((candidate) => candidate === name)
  const unknown = names.find((name) => find(name) === undefined)
  if (unknown !== undefined)
    throw new BenchError('arguments_invalid', `--only does not know "${unknown}": choose of ${known.join(',')}`)
  return new Set(names.flatMap((name) => find(name) ?? []))
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
