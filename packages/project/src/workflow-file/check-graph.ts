import type { Graph, GraphNode } from '@tidegate/runtime'
import { suggest } from '../yaml/did-you-mean.ts'
import type { Finding, Path } from '../yaml/problem.ts'

const NODES: Path = ['graph', 'nodes']

/** Checks that every edge leads somewhere, that every node can be reached, and that from every node there is a way to the end. */
export function checkGraph(graph: Graph): readonly Finding[] {
  const { start, nodes } = graph
  const names = [...nodes.keys()]
  const dangling = [...nodes].flatMap(([name, node]) => edgePaths(name, node)).filter(({ to }) => !nodes.has(to))
  const lost = dangling.map(({ to, path }): Finding => ({ path, message: `There is no node "${to}".${suggest(to, names)}` }))
  if (!nodes.has(start))
    return [{ path: ['graph', 'start'], message: `There is no node "${start}".${suggest(start, names)}` }, ...lost]
  if (lost.length > 0) return lost
  const reached = reachable([start], (name) => forward(graph, name))
  const unreached = names.filter((name) => !reached.has(name))
  const ends = names.filter((name) => forward(graph, name).length === 0)
  const ending = reachable(ends, (name) => names.filter((other) => forward(graph, other).includes(name)))
  const endless = names.filter((name) => reached.has(name) && !ending.has(name))
  return [
    ...unreached.map(
      (name): Finding => ({
        path: [...NODES, name],
        atKey: true,
        message: `No way leads to "${name}". Lead one there, or remove it.`,
      }),
    ),
    ...endless.map((name): Finding => {
      return {
        path: [...NODES, name],
        atKey: true,
        message: `From "${name}" there is no way to a finish or giveUp node: the run would go round until its limits end it.`,
      }
    }),
  ]
}

function forward({ nodes }: Graph, name: string): readonly string[] {
  const node = nodes.get(name)
  return node === undefined ? [] : edgePaths(name, node).map(({ to }) => to)
}

function reachable(from: readonly string[], next: (name: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set(from)
  const open = [...from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const other of next(name)) {
      if (seen.has(other)) continue
      seen.add(other)
      open.push(other)
    }
  }
  return seen
}

interface EdgePath {
  readonly to: string
  readonly path: Path
}

/** The edges of a node with the places where they are written. */
function edgePaths(name: string, node: GraphNode): readonly EdgePath[] {
  const at = (...rest: Path): Path => [...NODES, name, ...rest]
  switch (node.kind) {
    case 'classify':
      return [...node.classes].map(([verdict, to]) => ({ to, path: at('classes', verdict) }))
    case 'extract':
      return [{ to: node.next, path: at('next') }]
    case 'operation': {
      const edges = [
        { to: node.next, path: at('next') },
        { to: node.onFailed, path: at('onFailed') },
        { to: node.onInvalid, path: at('onInvalid') },
      ]
      return edges.flatMap(({ to, path }) => (to === null ? [] : [{ to, path }]))
    }
    case 'branch':
      return [
        ...node.conditions.map(({ next }, i) => ({ to: next, path: at('branch', i, 'next') })),
        { to: node.otherwise, path: at('otherwise') },
      ]
    case 'finish':
    case 'give_up':
      return []
  }
}
