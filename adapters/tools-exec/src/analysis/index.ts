export { analyse } from './analyse.ts'
export {
  type AnalysisContext,
  CATEGORIES,
  type Category,
  type CategoryMeaning,
  type CommandFacts,
  isCautious,
  type KnownWord,
  type Mutability,
  type PathAccess,
  type PathClass,
  REASONS,
  type Reach,
  type Reason,
  type RedirectionFact,
  type SimpleCommand,
  type TouchedPath,
} from './facts.ts'
export { commandFactsJson } from './facts-json.ts'
export { resolvePaths } from './resolve-paths.ts'
