import type { Journal } from '@tidegate/kernel'
import type { Meters } from './meters.ts'

/** The meters of a project that declares none: policy still sees what the run has used. */
export function withoutMeters(journal: Journal): Meters {
  return {
    journal,
    reserve({ state, isNew }) {
      const { steps, tokens, costMicros } = state.spent
      const values = { run_steps: steps + (isNew ? 1 : 0), run_tokens: tokens, run_cost_micros: costMicros }
      return { values, metered: undefined }
    },
    release: () => undefined,
    view: () => [],
    save: async () => undefined,
  }
}
