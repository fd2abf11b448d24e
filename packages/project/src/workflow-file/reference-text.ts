import type { Json } from '@tidegate/kernel'

/** A reference, taken apart. */
export interface Reference {
  readonly root: 'input' | 'seen' | 'notes'
  /** Of an input field, an operation or a node; empty for the whole input. */
  readonly name: string
  readonly pointer: string
}

/** A reference found in a template, or what only looks like one. */
export type FoundReference =
  | { readonly kind: 'reference'; readonly text: string; readonly reference: Reference }
  | { readonly kind: 'broken'; readonly text: string }

const REFERENCE = /^\$(input|seen|notes)(?:\/([^/]+))?((?:\/[^/]*)*)$/u
const LOOKS_LIKE_ONE = /^\$[A-Za-z]+(?:\/|$)/u
const EMBEDDED = /\{\{\s*([^{}]*?)\s*\}\}/gu

/** Takes a reference apart; undefined when it is none. */
function parseReference(text: string): Reference | undefined {
  const match = REFERENCE.exec(text)
  if (match === null) return undefined
  const [, root, name = '', pointer = ''] = match
  if (root !== 'input' && root !== 'seen' && root !== 'notes') return undefined
  return root !== 'input' && name === '' ? undefined : { root, name, pointer }
}

/** The references in one text: the text itself, or those between `{{` and `}}`. */
export function referencesIn(text: string): readonly FoundReference[] {
  const whole = parseReference(text)
  if (whole !== undefined) return [{ kind: 'reference', text, reference: whole }]
  if (LOOKS_LIKE_ONE.test(text)) return [{ kind: 'broken', text }]
  const embedded = [...text.matchAll(EMBEDDED)].map((match): FoundReference => {
    const inner = match[1] ?? ''
    const reference = /[\s]/u.test(inner) ? undefined : parseReference(inner)
    return reference === undefined ? { kind: 'broken', text: match[0] } : { kind: 'reference', text: inner, reference }
  })
  const rest = text.replaceAll(EMBEDDED, '')
  return rest.includes('{{') ? [...embedded, { kind: 'broken', text: '{{' }] : embedded
}

/** All texts of a template with their paths. */
export function textsOf(
  template: Json,
  path: readonly (string | number)[],
): readonly (readonly [readonly (string | number)[], string])[] {
  if (typeof template === 'string') return [[path, template]]
  if (Array.isArray(template)) return (template as readonly Json[]).flatMap((item, i) => textsOf(item, [...path, i]))
  if (typeof template === 'object' && template !== null) {
    return Object.entries(template).flatMap(([key, item]) => textsOf(item, [...path, key]))
  }
  return []
}
