import { sanitise } from '@tidegate/kernel'

/** What was found in a text that a server wrote about itself. */
export type TextFinding =
  | 'hidden_markup'
  | 'invisible_characters'
  | 'encoded_text'
  | 'control_characters'
  | 'instruction_like'
  | 'cut'

/** A text that can be shown to people and to models, and what was taken out of it or looks wrong in it. */
export interface Described {
  readonly text: string
  readonly findings: readonly TextFinding[]
}

/**
 * Words with which a description speaks to a model instead of about a tool. A list of what is known: it finds the careless ones, and proves
 * nothing about the others. Each is linear in the text.
 */
const INSTRUCTIONS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override) (?:all |any |the |your )?(?:previous|prior|above|earlier|other|system|safety)\b/i,
  /\b(?:do not|don't|never) (?:tell|inform|mention|reveal|show|ask|notify|alert|warn)\b/i,
  /\b(?:before|after|when|while) (?:using|calling|invoking) (?:this|any|other|another|the other)\b/i,
  /\byou (?:must|should|have to|need to) (?:always |first |also |never )?(?:call|use|read|send|include|pass|forward|execute|run|add)\b/i,
  /\b(?:system prompt|hidden instruction|new instructions|without (?:the user|asking|telling|approval|confirmation))\b/i,
  /\b(?:id_rsa|\.ssh\/|\.aws\/|\.env\b|mcp\.json|\/etc\/passwd|private key)/i,
  /<\/?(?:important|system|instructions?|secret|assistant|tool|prompt)\b/i,
  /\[(?:system|inst|important)\]/i,
  /\b(?:instead of|rather than|in place of) (?:the )?[a-z0-9_.-]{2,40} tool\b/i,
]

/** Makes a text of a server fit to be shown: without what is hidden in it, at most so long, and well-formed. */
export function describe(given: string, maxChars: number): Described {
  const wellFormed = given.slice(0, maxChars * 8).toWellFormed()
  const clean = sanitise(wellFormed)
  const whole = typeof clean.value === 'string' ? clean.value.trim() : ''
  const findings = new Set<TextFinding>(clean.findings.map(({ kind }) => kind))
  if (INSTRUCTIONS.some((pattern) => pattern.test(wellFormed))) findings.add('instruction_like')
  const isCut = whole.length > maxChars || given.length > wellFormed.length
  if (isCut) findings.add('cut')
  const text = isCut ? `${whole.slice(0, maxChars - 3).trimEnd()}...`.toWellFormed() : whole
  return { text, findings: [...findings].sort() }
}

/** The same for one line: what breaks lines becomes a space. */
export function describeLine(given: string, maxChars: number): Described {
  const { text, findings } = describe(given.replace(/[\r\n\t\u2028\u2029]+/g, ' '), maxChars)
  return { text, findings }
}
