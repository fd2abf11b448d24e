import {
  EXTRACT_TYPES,
  type Extraction,
  extractClosed,
  type Json,
  type JsonObject,
  type ModelTool,
  type Origin,
  type PlannerView,
} from '@tidegate/kernel'
import { extractionName, followReference } from './show.ts'

/** The tool with which a model asks for one small value out of a text that it is not shown. */
export const EXTRACT_TOOL: ModelTool = {
  name: 'extract',
  description:
    'Reads one value out of a text that you are not shown: a flag (yes or no), a number, an amount of money, a date (2024-05-15) or one of the words that you list. Answers nothing when there is none, or more than one.',
  inputSchema: {
    type: 'object',
    properties: {
      ref: { type: 'string', description: 'The handle of the text, such as $r3/body.' },
      type: { type: 'string', enum: [...EXTRACT_TYPES] },
      words: { type: 'array', items: { type: 'string' }, maxItems: 32, description: 'For the type enum: the words to look for.' },
    },
    required: ['ref', 'type'],
    additionalProperties: false,
  },
}

/** What came of a call of {@link EXTRACT_TOOL}: a note for the run, or a reason why it cannot be understood. */
export type Extracted =
  | { readonly kind: 'noted'; readonly value: JsonObject; readonly origins: readonly Origin[] }
  | { readonly kind: 'unusable'; readonly reason: string }

/**
 * Reads one value of a closed type out of a text that the model is not shown. Our own parser does it, and no model: whoever wrote the text
 * can choose among the values of the type, and say nothing else. The value keeps the origin of its text.
 */
export function extract(args: JsonObject, turn: number, view: PlannerView): Extracted {
  const wanted = readExtraction(args)
  if (wanted === undefined) return { kind: 'unusable', reason: 'the arguments of extract do not fit its schema' }
  const found = followReference(wanted.ref, view)
  if (found === undefined || typeof found.value !== 'string')
    return { kind: 'unusable', reason: 'the reference of extract leads to no text' }
  const { type } = wanted.extraction
  const value = extractClosed(found.value, wanted.extraction)
  const note: JsonObject = value === undefined ? { type, value: null } : { type, value, ref: extractionName(turn) }
  return { kind: 'noted', value: note, origins: found.leaves[''] ?? ['third-party'] }
}

function readExtraction({ ref, type, words = [], ...rest }: JsonObject): { ref: string; extraction: Extraction } | undefined {
  const known = EXTRACT_TYPES.find((each) => each === type)
  if (typeof ref !== 'string' || known === undefined || !Array.isArray(words) || Object.keys(rest).length > 0) return undefined
  const listed = words as readonly Json[]
  const isFit = known === 'enum' ? listed.length > 0 : listed.length === 0
  if (!isFit || !listed.every((word) => typeof word === 'string')) return undefined
  return { ref, extraction: { type: known, words: listed } }
}
