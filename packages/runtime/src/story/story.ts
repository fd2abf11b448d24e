/** What a line of a story is about. */
export type StoryKind = 'asked' | 'saw' | 'understood' | 'decided' | 'touched' | 'tried' | 'undone' | 'checked' | 'left'

/** One thing that happened, in a sentence. May quote what agents and customers wrote: whoever shows it makes it inert. */
export interface StoryLine {
  readonly kind: StoryKind
  readonly text: string
  /** The action that it is about, or null. */
  readonly action: number | null
}

/** A run in words that a support lead understands: what it saw, decided and touched, and what is left for people. */
export interface Story {
  readonly headline: string
  /** What it looked at, what it made of it, what it did, in order. */
  readonly lines: readonly StoryLine[]
}
