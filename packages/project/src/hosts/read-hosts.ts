import type { Operation } from '@tidegate/kernel'
import type { HostDeclaration } from '@tidegate/runtime'
import type { Configuration } from '../configuration/schema.ts'
import { ProjectError } from '../error.ts'
import { suggest } from '../yaml/did-you-mean.ts'

/**
 * The hosts of a project, with the operations that their patterns stand for.
 *
 * @throws ProjectError `host_invalid` for a name that stands twice, a person that the project does not list, or a pattern that no operation fits.
 */
export function readHosts(
  { hosts, people, environment }: Pick<Configuration, 'hosts' | 'people' | 'environment'>,
  operations: readonly Operation[],
): readonly HostDeclaration[] {
  // Asking the model that a host plans with is no tool of its.
  const ids = operations.filter(({ isPlanner }) => isPlanner !== true).map(({ id }) => id)
  const names = new Set<string>()
  return hosts.map(({ name, kind, agent = name, mode, person, operations: patterns, tickets, approvals }) => {
    if (names.has(name)) throw refused(name, 'its name stands twice. Rename one.')
    names.add(name)
    const [first] = people
    const behalf = person ?? first?.id ?? ''
    if (!people.some(({ id }) => id === behalf))
      throw refused(
        name,
        `"${behalf}" is not among the people of the project.${suggest(
          behalf,
          people.map(({ id }) => id),
        )}`,
      )
    return {
      ...{ name, kind, agent, mode, environment, person: behalf, approvalMs: approvals },
      operations: withFacets(operations, new Set(patterns.flatMap((pattern) => fitting(name, pattern, ids)))),
      tickets: (tickets ?? (kind === 'openclaw' ? 'required' : 'none')) === 'required',
    }
  })
}

/** A host that may call an operation may call what its calls really are: the narrow operations behind it. */
function withFacets(operations: readonly Operation[], listed: ReadonlySet<string>): readonly string[] {
  const facets = operations.filter(({ facetOf }) => facetOf !== undefined && listed.has(facetOf)).map(({ id }) => id)
  return [...new Set([...listed, ...facets])].toSorted()
}

/** `desk.ticket.read` is one operation; `desk.*` is everything of the tool `desk`. */
function fitting(host: string, pattern: string, ids: readonly string[]): readonly string[] {
  const found = pattern.endsWith('.*')
    ? ids.filter((id) => id.startsWith(pattern.slice(0, -1)))
    : ids.filter((id) => id === pattern)
  if (found.length === 0) throw refused(host, `no operation fits "${pattern}".${suggest(pattern, ids)}`)
  return found
}

function refused(host: string, why: string): ProjectError {
  return new ProjectError('host_invalid', `The host ${host} in tidegate.yaml is refused: ${why}`)
}
