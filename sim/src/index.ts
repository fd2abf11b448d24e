export { type Outcome, simulate, type SimulateOptions } from './run/simulate.ts'
export type { Tamper } from './run/simulation.ts'
export { type Finding, replayCommand, runSeeds, sweep, type Tally } from './run/sweep.ts'
