import { ClientError } from '@tidegate/client'
import { CliError } from './error.ts'

/** What has ids that people shorten. */
interface Kind<T> {
  /** `run`, for messages. */
  readonly name: string
  /** Asks for one by its whole id. */
  readonly get: (id: string) => Promise<T>
  readonly ids: () => Promise<readonly string[]>
}

/** Finds what an id means: the whole id, or a beginning or an end of exactly one. */
export async function identify<T>(given: string, kind: Kind<T>): Promise<T> {
  if (!/^[\w.:@-]{1,200}$/.test(given))
    throw new CliError(
      'usage_invalid',
      `"${given.slice(0, 60)}" is not the id of ${/^[aeiou]/.test(kind.name) ? 'an' : 'a'} ${kind.name}.`,
    )
  try {
    return await kind.get(given)
  } catch (error) {
    if (!(error instanceof ClientError) || error.problem?.code !== 'not_found') throw error
    const matching = [...new Set(await kind.ids())].filter((id) => id.startsWith(given) || id.endsWith(given))
    const [only] = matching
    if (only === undefined) throw error
    if (matching.length > 1) {
      throw new CliError(
        'id_ambiguous',
        `Several ${kind.name}s begin or end with "${given}": ${matching.slice(0, 5).join(', ')}. Write more of the id.`,
      )
    }
    return kind.get(only)
  }
}
