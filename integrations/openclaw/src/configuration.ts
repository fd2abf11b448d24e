import { ConnectError, nodeAt, type Path, parseRelaxed, plainOf, removeAt, setAt } from '@tidegate/connect'
import type { Json } from '@tidegate/kernel'

/** The text of a configuration, changed piece by piece; every other character stays. */
export interface Configuration {
  readonly text: string
  get(path: Path): Json | undefined
  /** Sets a value; the same value changes nothing. */
  set(path: Path, value: Json): Configuration
  remove(path: Path): Configuration
  /** Adds to a list what is not in it; makes the list when there is none. */
  add(path: Path, items: readonly string[]): Configuration
  /** Removes an object or a list that has become empty. */
  prune(path: Path): Configuration
}

/** Reads a configuration of OpenClaw: JSON5. An empty file is an empty object. */
export function readConfiguration(bytes: Uint8Array | undefined): Configuration {
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes)
  return configurationOf(text.trim() === '' ? '{}\n' : text)
}

function configurationOf(text: string): Configuration {
  const root = parseRelaxed(text)
  const get = (path: Path): Json | undefined => {
    const node = nodeAt(root, path)
    return node === undefined ? undefined : plainOf(node)
  }
  const self: Configuration = {
    text,
    get,
    set: (path, value) =>
      JSON.stringify(get(path)) === JSON.stringify(value) ? self : configurationOf(setAt(text, path, value)),
    remove: (path) => (nodeAt(root, path) === undefined ? self : configurationOf(removeAt(text, path))),
    add(path, items) {
      const list = listAt(self, path)
      const missing = items.filter((item) => !(list ?? []).includes(item))
      if (missing.length === 0) return self
      if (list === undefined) return self.set(path, missing)
      return missing.reduce<Configuration>((at, item, i) => at.set([...path, list.length + i], item), self)
    },
    prune(path) {
      const node = nodeAt(root, path)
      const isEmpty =
        (node?.kind === 'object' && node.members.length === 0) || (node?.kind === 'array' && node.items.length === 0)
      return isEmpty ? self.remove(path) : self
    },
  }
  return self
}

/** A list of texts. Something else in its place is refused, never replaced. */
export function listAt(configuration: Configuration, path: Path): readonly string[] | undefined {
  const value = configuration.get(path)
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw new ConnectError('configuration_unsupported', `"${path.join('.')}" of OpenClaw is no list of names. Mend it first.`)
}
