import type { JsonObject } from '@tidegate/kernel'
import { type CommandFacts, isCautious } from './facts.ts'

const MAX_NAMES = 64

/**
 * The facts as policy sees them: sorted lists of words and booleans, small whatever the command. A list that was too long has the
 * word `...` in it.
 */
export function commandFactsJson(facts: CommandFacts): JsonObject {
  return {
    understood: facts.understood,
    cautious: isCautious(facts),
    reach: facts.reach,
    mutability: facts.mutability,
    categories: [...facts.categories],
    reasons: [...facts.reasons],
    programs: names(facts.programs),
    variables: names(facts.variables),
    pathClasses: names(facts.paths.map((place) => place.class)),
    writes: names(facts.paths.filter((place) => place.access === 'write').map((place) => place.class)),
    via: names(facts.commands.flatMap((command) => command.via)),
  }
}

function names(list: readonly string[]): string[] {
  const all = [...new Set(list.map((name) => (name.length > 128 ? `${name.slice(0, 125)}...` : name)))].toSorted()
  return all.length <= MAX_NAMES ? all : [...all.slice(0, MAX_NAMES - 1), '...'].toSorted()
}
