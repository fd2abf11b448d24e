import { configDigest } from '@tidegate/connect'
import { configurationFiles } from '../configuration-files.ts'

/** The digest of the configuration that this Claude Code runs with, as a proof names it; undefined when a file cannot be read. */
export function digestOf(env: Readonly<Record<string, string | undefined>>, config: string | undefined): string | undefined {
  try {
    return configDigest(
      configurationFiles({ env, home: env.HOME ?? env.USERPROFILE ?? '', platform: process.platform }, config).map(
        ({ file }) => file,
      ),
    )
  } catch {
    return undefined
  }
}
