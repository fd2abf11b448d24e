import { parseArgs } from 'node:util'
import { ServerError } from './error.ts'
import { serve } from './serve.ts'

const USAGE = 'Usage: node packages/server/src/main.ts --project DIRECTORY [--ready-file FILE] [--port PORT]'

/** Reads the arguments; the only reader of process.argv and, with the composition root, of the environment. */
function readArguments(): { project: string; readyFile?: string; port?: number } {
  try {
    const { values } = parseArgs({
      options: { project: { type: 'string' }, 'ready-file': { type: 'string' }, port: { type: 'string' } },
    })
    if (values.project === undefined) throw new TypeError('--project is missing')
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      throw new TypeError('--port is a number from 0 to 65535')
    return {
      project: values.project,
      ...(values['ready-file'] === undefined ? {} : { readyFile: values['ready-file'] }),
      ...(port === undefined ? {} : { port }),
    }
  } catch (cause) {
    throw new ServerError('arguments_invalid', `${cause instanceof Error ? cause.message : 'The arguments are off'}. ${USAGE}`, {
      cause,
    })
  }
}

try {
  const server = await serve({ ...readArguments(), environment: process.env })
  const end = (): void => {
    server.close().then(
      () => process.exit(),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : 'The server could not be closed.'}\n`)
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'defect'
  process.stderr.write(`tidegate: ${code}: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code === 'arguments_invalid' ? 2 : 1)
}
