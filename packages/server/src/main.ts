import { parseArgs } from 'node:util'
import { ServerError } from './error.ts'
import { serve } from './serve.ts'

const USAGE =
  'Usage: node packages/server/src/main.ts --project DIRECTORY [--ready-file FILE] [--port PORT] [--draft-overlay MCP-SERVER]'

/** Reads the arguments; the only reader of process.argv and, with the composition root, of the environment. */
function readArguments(): { project: string; readyFile?: string; port?: number; draftOverlay?: string } {
  try {
    const { values } = parseArgs({
      options: {
        project: { type: 'string' },
        'ready-file': { type: 'string' },
        port: { type: 'string' },
        'draft-overlay': { type: 'string' },
      },
    })
    if (values.project === undefined) throw new TypeError('--project is missing')
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      throw new TypeError('--port is a number from 0 to 65535')
    return {
      project: values.project,
      ...(values['ready-file'] === undefined ? {} : { readyFile: values['ready-file'] }),
      ...(port === undefined ? {} : { port }),
      ...(values['draft-overlay'] === undefined ? {} : { draftOverlay: values['draft-overlay'] }),
    }
  } catch (cause) {
    throw new ServerError('arguments_invalid', `${cause instanceof Error ? cause.message : 'The arguments are off'}. ${USAGE}`, {
      cause,
    })
  }
}

async function run(): Promise<void> {
  const { draftOverlay, ...options } = readArguments()
  if (draftOverlay !== undefined) {
    const { writeOverlay } = await import('./write-overlay.ts')
    process.stdout.write(await writeOverlay({ project: options.project, server: draftOverlay, environment: process.env }))
    return
  }
  const server = await serve({ ...options, environment: process.env })
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
}

try {
  await run()
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'defect'
  process.stderr.write(`tidegate: ${code}: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code === 'arguments_invalid' ? 2 : 1)
}
