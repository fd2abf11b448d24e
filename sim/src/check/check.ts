import type { Simulation } from '../run/simulation.ts'
import { checkApprovals } from './approvals.ts'
import { checkCounts } from './counts.ts'
import { checkDeclassified } from './declassified.ts'
import { checkEffects } from './effects.ts'
import { checkHosts } from './hosts.ts'
import { checkConversations } from './conversations.ts'
import { checkJournal } from './journal.ts'
import { checkLabels } from './labels.ts'
import { checkLimits } from './limits.ts'
import { checkLists } from './lists.ts'
import { checkOutcomes } from './outcomes.ts'
import type { Report } from './report.ts'
import { checkRest } from './rest.ts'
import { checkSecrets } from './secrets.ts'
import { checkStops } from './stops.ts'
import { checkUndo } from './undo.ts'

/**
 * Holds what happened against the invariants. The checkers read the world's own records and the raw entries, and recompute what
 * they need; none of them asks the harness what it thinks, but for the one that compares its state with a replay (I12).
 */
export async function check(sim: Simulation): Promise<void> {
  const report: Report = (invariant, message) => void sim.witness.violations.push({ invariant, message })
  for (const one of [
    checkJournal,
    checkEffects,
    checkApprovals,
    checkStops,
    checkOutcomes,
    checkUndo,
    checkSecrets,
    checkLists,
    checkRest,
    checkLimits,
    checkLabels,
    checkDeclassified,
    checkHosts,
    checkConversations,
  ])
    one(sim, report)
  await checkCounts(sim, report)
}
