/** What a model is told that works through a workflow step by step, and how far it is trusted. */
export interface AgentPlan {
  /** What is to be achieved, for the model and for people. */
  readonly goal: string
  /** Rules of the house, one sentence each. Advice to the model: what protects is policy. */
  readonly rules: readonly string[]
  /**
   * 0 to 10,000: how sure a proposal counts. Set by people from how well this workflow has gone; a model's own opinion of itself is
   * not asked for. Every reply that could not be used lowers it for the rest of the run.
   */
  readonly confidence?: number
  /**
   * `all`: the model reads every answer. `typed`: what strangers wrote is kept from it; it passes such texts on by reference, and may have
   * single values of closed types read out of them. Then nothing a stranger writes can instruct it.
   */
  readonly show?: 'all' | 'typed'
  /** The model first lists the operations that it needs, before it has read anything; policy may then deny everything else. */
  readonly plan?: boolean
  /** UTF-16 units of one observation that the model is shown. */
  readonly observationLength?: number
  /** UTF-16 units of all observations together; the newest are kept. */
  readonly historyLength?: number
}

/** What a plan has unless its workflow says otherwise. */
export const AGENT_DEFAULTS = {
  confidence: 9_200,
  show: 'all',
  plan: false,
  observationLength: 8_000,
  historyLength: 60_000,
} as const satisfies Omit<AgentPlan, 'goal' | 'rules'>

/** A plan with nothing left open. */
export type FullAgentPlan = Required<AgentPlan>
