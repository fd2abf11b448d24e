import type { Ended } from './program.ts'
import type { Stage } from './stage.ts'

const PATIENCE_MS = 15_000

/** Starts the server of a stage where it has to refuse, and answers how it ended; one that goes on is killed, and has no code. */
export async function refusalOf(stage: Stage, wrap: readonly string[] = []): Promise<Ended> {
  const server = stage.launch({ wrap })
  const timer = setTimeout(() => void server.stop('SIGKILL'), PATIENCE_MS)
  const ended = await server.ended
  clearTimeout(timer)
  return ended
}
