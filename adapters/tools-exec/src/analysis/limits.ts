/** What an analysis may cost. Past a limit a command counts as not understood; nothing is cut short silently. */
export const LIMITS = {
  /** UTF-8 bytes of the command text, and of all texts found inside it together. */
  maxBytes: 65_536,
  /** Substitutions opened in one text: what nests deeper is no command that anybody reads. */
  maxSubstitutions: 512,
  /** How deep commands may stand in commands: functions, `eval`, `sh -c`, wrappers, substitutions. */
  maxDepth: 24,
  /** Commands looked at, counting each walk through a loop or a function. */
  maxSteps: 3_000,
  /** Ways in which the words of one command may turn out. */
  maxWays: 16,
  /** Words of one command. */
  maxWords: 2_048,
  /** Characters of a path, longer than the kernel takes one. */
  maxPathLength: 4_096,
  /** Parts of one word as it is written: quotes, wildcards, expansions. */
  maxParts: 512,
  /** Pieces of one word after expansion. */
  maxPieces: 128,
  /** Words that one brace expansion may make. */
  maxBraceWords: 64,
  /** Characters of one expanded text. */
  maxTextLength: 65_536,
} as const
