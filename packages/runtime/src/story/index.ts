export type { Story, StoryKind, StoryLine } from './story.ts'
export { phraseFailure, tellRun } from './tell-run.ts'
