import { BenchError } from '../error.ts'

/** What a client measured in one window. */
export interface McpWindow {
  readonly calls: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What a client measured of one way to the tool: one call at a time, and several at a time. */
export interface McpFigures {
  readonly one: McpWindow
  readonly many: McpWindow
  readonly inFlight: number
}

const NUMBERS = ['calls', 'perSecond', 'p50Ms', 'p99Ms'] as const

/** Parses the one line that the client prints, or throws `report_invalid`. It comes from a child that runs code of others. */
export function parseMcpLine(line: string): McpFigures {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new BenchError('report_invalid', 'the last line of the client must be JSON', { cause })
  }
  const { one, many, inFlight } = recordOf(value)
  if (typeof inFlight !== 'number') throw new BenchError('report_invalid', 'the client must say how many calls were in flight')
  return { one: windowOf(one), many: windowOf(many), inFlight }
}

function windowOf(value: unknown): McpWindow {
  const source = recordOf(value)
  const numbers = NUMBERS.map((key): [string, number] => {
    const number = source[key]
    if (typeof number !== 'number' || !Number.isFinite(number) || number < 0)
      throw new BenchError('report_invalid', `"${key}" must be a number, finite and not negative`)
    return [key, number]
  })
  // Sound: these are exactly the keys of a window.
  return Object.fromEntries(numbers) as unknown as McpWindow
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BenchError('report_invalid', 'the client must report objects')
  return value as Record<string, unknown>
}

/** The window whose median is the median of them all: one slow neighbour decides nothing. */
export function middleOf(windows: readonly McpWindow[]): McpWindow | undefined {
  return windows.toSorted((a, b) => a.p50Ms - b.p50Ms)[Math.floor((windows.length - 1) / 2)]
}

/** The window with the middle number of calls per second. */
export function middleRateOf(windows: readonly McpWindow[]): McpWindow | undefined {
  return windows.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(windows.length / 2)]
}
