/** The node of what a model proposed in one turn, counted from 0 over the calls of the run: ties each action to its call. */
export function turnName(turn: number): string {
  return `turn-${turn}`
}
