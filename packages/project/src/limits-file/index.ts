export { parseLimits } from './parse-limits.ts'
