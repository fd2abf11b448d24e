/** An expression in Cedar's JSON form; whole numbers may be bigints. */
export interface Tree {
  readonly [operator: string]: unknown
}

/** The expressions that an expression is made of. */
export function partsOf(tree: Tree): readonly Tree[] {
  const [operator = '', operand] = Object.entries(tree)[0] ?? []
  if (operator === 'Value' || operator === 'Var') return []
  if (Array.isArray(operand)) return treesOf(operand)
  const fields = fieldsOf(operand)
  if (operator === 'Record') return Object.values(fields).map(treeOf)
  return ['left', 'right', 'arg', 'if', 'then', 'else', 'in'].flatMap((name) =>
    fields[name] === undefined ? [] : [treeOf(fields[name])],
  )
}

/** The same expression with one of its parts replaced. */
export function withPart(tree: Tree, from: Tree, to: Tree): Tree {
  const [operator = '', operand] = Object.entries(tree)[0] ?? []
  const swap = (value: unknown): unknown => (value === from ? to : value)
  if (Array.isArray(operand)) return { [operator]: operand.map(swap) }
  return { [operator]: Object.fromEntries(Object.entries(fieldsOf(operand)).map(([name, value]) => [name, swap(value)])) }
}

function treesOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.map(treeOf) : []
}

/** Keeps the identity of the part, which {@link withPart} looks for. */
function treeOf(value: unknown): Tree {
  return fieldsOf(value)
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {} // sound: read-only
}
