import { commit } from '../harness/commit.ts'
import type { Harness } from '../harness/harness.ts'
import type { HarnessParts } from '../harness/parts.ts'

/**
 * Refuses the open question of a run in the name of whoever asked it, and thereby ends the run. False when no question is open: what
 * people have decided cannot be withdrawn any more.
 */
export function withdrawQuestion(parts: HarnessParts, harness: Harness, run: string, by: string): Promise<boolean> {
  return harness.exclusively(run, async (state) => {
    const open = [...(state?.approvals.values() ?? [])].find((approval) => approval.state === 'open')
    if (state === undefined || state.phase === 'finished' || open === undefined) return false
    const why = `withdrawn by ${by}`
    const events = [{ type: 'approval.closed', approval: open.question.id, state: 'refused', why } as const]
    return (await commit(parts, state, events)) !== 'conflict'
  })
}
