const PADDING = 'x'.repeat(360)

/** The record that every contender writes before the effect: about 550 bytes, the size of a real decision record. */
export function intentEntry(runId: string, action: number): string {
  return JSON.stringify({
    kind: 'effect.started',
    run: runId,
    action,
    tool: 'billing',
    operation: 'billing.refund',
    arguments: { invoice: `inv-${action}`, amountCents: 1250, currency: 'EUR' },
    decision: { effect: 'allow', because: ['small-refunds'] },
    padding: PADDING,
  })
}

/** The record after the effect, of the same size. */
export function resultEntry(runId: string, action: number): string {
  return JSON.stringify({
    kind: 'effect.completed',
    run: runId,
    action,
    outcome: 'done',
    output: { receipt: `rcpt-${action}`, balanceCents: 4200, currency: 'EUR' },
    validated: true,
    labels: { integrity: 'trusted', confidentiality: 'customer' },
    padding: PADDING,
  })
}

/** The effect itself: nothing, so that only the engine is measured. */
export async function effect(): Promise<void> {}
