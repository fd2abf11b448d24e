import { isAbsolute } from 'node:path'

/** What the command line of a hook says. */
export interface HookOptions {
  readonly project: string
  readonly host: string
  readonly mode: 'observe' | 'enforce'
  readonly permit: 'host' | 'allow'
  /** How long a call may wait for people. */
  readonly waitMs: number
  /** Calls of our own tools need a ticket. */
  readonly tickets: boolean
  /** The settings file that was connected, when it is not the usual one. */
  readonly config: string | undefined
}

const MAX_WAIT_SECONDS = 590
const HOST = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/

/** Reads the arguments of a hook; undefined when they are not understood. */
export function readOptions(args: readonly string[]): HookOptions | undefined {
  const values = new Map<string, string>()
  let tickets = false
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]
    const value = args[i + 1]
    if (name === '--tickets') {
      tickets = true
      i -= 1
    } else if (name === undefined || value === undefined || !NAMES.includes(name) || values.has(name)) return undefined
    else values.set(name, value)
  }
  const { project, host, mode = 'enforce', permit = 'host', wait = '0', config } = named(values)
  if (project === undefined || !isAbsolute(project) || host === undefined || !HOST.test(host)) return undefined
  if ((mode !== 'observe' && mode !== 'enforce') || (permit !== 'host' && permit !== 'allow')) return undefined
  if (!/^\d{1,3}$/.test(wait) || Number(wait) > MAX_WAIT_SECONDS) return undefined
  return { project, host, mode, permit, waitMs: Number(wait) * 1_000, tickets, config }
}

const NAMES = ['--project', '--host', '--mode', '--permit', '--wait', '--config']

function named(values: ReadonlyMap<string, string>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...values].map(([name, value]) => [name.slice(2), value]))
}

/** Whether arguments that are otherwise not understood ask for observing: then a mistake in them stops nothing. */
export function onlyObserves(args: readonly string[]): boolean {
  return args[args.indexOf('--mode') + 1] === 'observe' && args.includes('--mode')
}
