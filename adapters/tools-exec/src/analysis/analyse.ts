import type { AnalysisContext, CommandFacts } from './facts.ts'
import { Findings } from './findings.ts'
import { LIMITS } from './limits.ts'
import { TooMuch, Walk } from './walk.ts'

/** Characters that change what a reader sees: controls, zero-width characters, marks that turn the direction of text. */
const INVISIBLE = /(?![\t\n\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0/u

/**
 * Says what a command text would do, before it runs: every simple command in it, every place it touches, and what is not known.
 * Pure; never throws; bounded by {@link LIMITS}. The text is read as bash reads it, so it must be run by bash.
 *
 * What is not understood is said to be: `understood` is false, and no category makes up for that. Links are not resolved, see
 * {@link resolvePaths}.
 */
export function analyse(command: string, context: AnalysisContext): CommandFacts {
  const refused = new Findings(context)
  if (command.length > LIMITS.maxBytes || new TextEncoder().encode(command).length > LIMITS.maxBytes) refused.reason('too-long')
  else if (command.includes('\u0000')) refused.reason('nul-byte')
  else if (!command.isWellFormed() || command.includes('\ufffd')) refused.reason('not-utf8')
  else return walk(command, context)
  return refused.facts()
}

function walk(command: string, context: AnalysisContext): CommandFacts {
  const { findings, start } = startOf(context)
  if (INVISIBLE.test(command)) findings.category('obfuscated')
  try {
    start(command)
  } catch (error) {
    // A limit has its own reason. Anything else is a mistake of ours or of the parser, and then nothing is understood (I6).
    if (!(error instanceof TooMuch)) findings.reason(error instanceof RangeError ? 'too-deep' : 'unsupported-syntax')
  }
  return findings.facts()
}

function startOf(context: AnalysisContext): { readonly findings: Findings; readonly start: (command: string) => void } {
  const walker = new Walk(context)
  return { findings: walker.findings, start: (command) => walker.start(command) }
}
