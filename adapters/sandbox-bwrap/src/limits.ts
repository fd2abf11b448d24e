import type { SandboxLimits } from '@tidegate/kernel'

/** What a session gets when nobody says anything else: enough for a build, little enough for a laptop. */
export const DEFAULT_SANDBOX_LIMITS: SandboxLimits = {
  wallMs: 120_000,
  cpuSeconds: 120,
  memoryBytes: 2_147_483_648,
  processes: 256,
  outputBytes: 1_048_576,
  fileBytes: 1_073_741_824,
}

/** What nobody may ask for: the least that a shell needs, and the most that makes sense. */
const RANGES: Readonly<Record<keyof SandboxLimits, readonly [least: number, most: number]>> = {
  wallMs: [10, 86_400_000],
  cpuSeconds: [1, 86_400],
  memoryBytes: [16_777_216, 1_099_511_627_776],
  processes: [4, 100_000],
  outputBytes: [0, 268_435_456],
  fileBytes: [0, 1_099_511_627_776],
}

/** What one request is held to, whoever makes it. */
export const REQUEST_LIMITS = {
  /** UTF-8 bytes of a command, with all its arguments. */
  commandBytes: 4_194_304,
  stdinBytes: 16_777_216,
  arguments: 100_000,
  readOnlyMounts: 64,
  environmentEntries: 256,
  environmentBytes: 131_072,
  pathLength: 4_096,
  /** Calls that wait for the one before. */
  waiting: 64,
} as const

/** What is wrong with limits, in words; `null` when nothing is. */
export function findLimitDefect(limits: SandboxLimits): string | null {
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    // Sound: the keys of RANGES are those of the limits.
    const value = limits[name as keyof SandboxLimits]
    if (!Number.isInteger(value) || value < least || value > most) {
      return `the limit ${name} has to be a whole number from ${least} to ${most}`
    }
  }
  return null
}
