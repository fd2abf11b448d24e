/** What can go wrong in a benchmark, as callers branch on it. Each has a section in docs/errors.md. */
export const BENCH_ERROR_CODES = ['arguments_invalid', 'contender_missing', 'report_invalid'] as const

export type BenchErrorCode = (typeof BENCH_ERROR_CODES)[number]

/** The one error of the benchmarks: a code for programs, a message that tells a person what to do. */
export class BenchError extends Error {
  readonly code: BenchErrorCode

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BenchError'
    this.code = code
  }
}
