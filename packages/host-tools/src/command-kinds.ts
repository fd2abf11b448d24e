import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isObject, type Operation } from '@tidegate/kernel'
import type { HostTools } from '@tidegate/runtime'
import { analyse, type CommandKind, kindOf, resolvePaths } from '@tidegate/tools-exec'

/** So many paths of one command are followed through links. */
const MAX_PATHS = 64

/**
 * Tells the commands that a host runs itself apart by what they are: one that only looks is a read of low risk, one that reaches further is of
 * high risk, and all others are as the host's tool declares. The arguments stay as they are: the host runs exactly what was decided on.
 */
export function withCommandKinds({ operations, operationOf }: HostTools, shell: string): HostTools {
  const base = operations.find(({ id }) => id === shell)
  if (base === undefined) return { operations, operationOf }
  return {
    operations: [...operations, variant(base, 'look'), variant(base, 'reach')],
    operationOf(tool, args, context) {
      const named = operationOf(tool, args, context)
      if (named.operation !== shell || !isObject(named.arguments)) return named
      const { command, workdir } = named.arguments
      const cwd = typeof workdir === 'string' && workdir.startsWith('/') ? workdir : (context.cwd ?? '/')
      const kind = typeof command === 'string' ? kindIn(command, cwd, context.cwd ?? cwd) : 'reach'
      return kind === 'exec' ? named : { ...named, operation: `${shell}.${kind}` }
    },
  }
}

function variant(base: Operation, kind: Exclude<CommandKind, 'exec'>): Operation {
  const more =
    kind === 'look'
      ? ({ mutability: 'read', risk: 'low', nature: [], title: `${base.title}, which only looks` } as const)
      : ({
          risk: base.risk === 'critical' ? 'critical' : 'high',
          blastRadius: base.blastRadius === 'admin' ? 'admin' : 'cross-system',
          title: `${base.title}, which reaches further`,
        } as const)
  const { compensation: _, ...plain } = base
  return {
    ...plain,
    ...more,
    id: `${base.id}.${kind}`,
    facetOf: base.id,
    schemaVersion: createHash('sha256').update(`${base.schemaVersion} ${kind}`).digest('hex'),
  }
}

/** Never throws: what breaks on the way reaches further than anybody knows. */
function kindIn(command: string, cwd: string, workspace: string): CommandKind {
  try {
    const context = { cwd, workspace, home: homedir() }
    const facts = analyse(command, context)
    const links = new Map<string, string>()
    for (const { path, exact } of facts.paths.slice(0, MAX_PATHS)) {
      const real = exact ? realPath(path) : path
      if (real !== path) links.set(path, real)
    }
    return kindOf(links.size === 0 ? facts : resolvePaths(facts, links, context))
  } catch {
    return 'reach'
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // it is not there, or not on this machine
  }
}
