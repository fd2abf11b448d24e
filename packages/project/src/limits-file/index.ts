export { type LimitsAnswer, type LimitsFile, parseLimits } from './parse-limits.ts'
