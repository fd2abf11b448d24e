import { type Endorsement, isEndorsed, type RunState } from '@tidegate/kernel'
import { listed, oneLine } from './phrase.ts'
import type { StoryLine } from './story.ts'

/** What people let pass for the rest of the run, besides single calls. */
export function tellEndorsed({ endorsements }: RunState): readonly StoryLine[] {
  return endorsements.map((each) => ({ kind: 'decided', text: tellOne(each), action: null }))
}

function tellOne(endorsement: Endorsement): string {
  const { operation, pointer, value, votes } = endorsement
  const why = votes.map((vote) => (vote.why === '' ? '' : `"${oneLine(vote.why, 80)}"`)).filter((text) => text !== '')
  const who = listed(votes.map(({ voter }) => voter))
  const said = `${who} endorsed ${oneLine(String(value), 120)} for ${pointer} of ${operation} in this run${why.length === 0 ? '' : `: ${listed(why)}`}`
  return isEndorsed(endorsement) ? said : `${said}; more people have to say so`
}
