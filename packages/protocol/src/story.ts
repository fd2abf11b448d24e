import { z } from 'zod'
import { wireCount, wireLine, wireList } from './text.ts'

/** What a line of a story is about. */
export const STORY_KINDS = ['asked', 'saw', 'understood', 'decided', 'touched', 'tried', 'undone', 'checked', 'left'] as const

/** A run in words: one headline, and what happened, in order. Texts may quote what agents and customers wrote. */
export const storySchema = z.object({
  headline: wireLine,
  lines: wireList(z.object({ kind: z.enum(STORY_KINDS), text: wireLine, action: wireCount.nullable() })),
})
export type WireStory = z.infer<typeof storySchema>
