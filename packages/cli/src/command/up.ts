import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { startServer } from '../process/start-server.ts'
import { findProject } from '../project/find-project.ts'
import { findAnsweringServer } from '../project/answering-server.ts'
import type { Shell } from '../shell.ts'

/** Starts the server of the project and stays until it is interrupted or the server ends. */
export async function up(shell: Shell): Promise<ExitCode> {
  const project = findProject(shell)
  const running = await findAnsweringServer(project)
  if (running !== undefined) {
    throw new CliError(
      'server_running',
      `A server runs for ${project} already: ${running.url}, process ${running.pid}. End it first.`,
    )
  }
  const server = await shell.progress('Starting the server', startServer(project, { quiet: false, signal: shell.signal }))
  const { promise: interrupted, resolve } = Promise.withResolvers<'interrupted'>()
  shell.signal.addEventListener('abort', () => resolve('interrupted'), { once: true })
  shell.result({ url: server.url, pid: server.pid, project }, (view) => {
    const { style } = shell
    return [
      `Tidegate is up: ${style('link', view.url)} for ${view.project}`,
      '',
      'In another terminal, in that directory:',
      '  tidegate runs list',
      '  tidegate approvals list',
      '  tidegate doctor',
      '',
      'Ctrl-C ends it.',
    ].join('\n')
  })
  const first = await Promise.race([server.ended, interrupted])
  if (first === 'interrupted') {
    shell.note('Ending the server ...')
    return (await server.stop()) === 0 ? EXIT.ok : EXIT.failed
  }
  if (first === 0) return EXIT.ok
  throw new CliError('server_start_failed', `The server ended by itself (exit code ${first ?? 'none'}). Its log is above.`)
}
