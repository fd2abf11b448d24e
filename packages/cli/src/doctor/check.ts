/** One thing that was looked at. `cure` says what to type or change; it is empty when nothing is wrong. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'wrong'
  readonly detail: string
  readonly cure: string
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail, cure: '' }
}

export function warning(name: string, detail: string, cure: string): Check {
  return { name, state: 'warning', detail, cure }
}

export function wrong(name: string, detail: string, cure: string): Check {
  return { name, state: 'wrong', detail, cure }
}

/** What came of it, or why nothing did. */
export async function attemptAsync<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
