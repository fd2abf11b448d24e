/** The sizes of the sets that are measured. */
export const POLICY_SIZES = [10, 100, 1_000, 10_000] as const

/** The six rules for everybody and nothing else. */
export const LEAST_POLICIES = 6

/** The largest set that can be asked for. */
export const MOST_POLICIES = 100_000
