import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@tidegate/client'
import { type Program, startProgram } from '../src/program.ts'

const MAIN = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url))
const NOTES = fileURLToPath(new URL('./notes.ts', import.meta.url))
const PORT = 18_943
const READY_MS = 120_000

/** What is known of a host, as far as these tests look at it. */
export interface HostLine {
  readonly calls: number
  readonly denied: number
  readonly wouldHave: number
  readonly withoutTicket: number
  readonly lastSeenMs: number | null
  readonly configDigest: string | null
  readonly others: readonly string[]
  readonly hostVersion: string | null
}

/** The server with a project of its own: one host, one tool, and policies that read what a call says. */
export interface Tidegate {
  readonly url: string
  readonly project: string
  readonly tokenFile: string
  readonly token: () => string
  /** Where our commands run. */
  readonly workspace: string
  /** Lines that our tool has added. */
  notes(): readonly string[]
  start(): Promise<void>
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  setMode(mode: 'observe' | 'enforce'): void
  host(): Promise<HostLine>
  client(): Client
  /** Answers the one open question, in the name of an operator. Returns what was asked about. */
  answer(vote: 'approve' | 'refuse'): Promise<string>
  output(): string
  close(): Promise<void>
}

/** Makes the project; nothing is started. */
export function makeTidegate(directory: string): Tidegate {
  const project = join(directory, 'project')
  const notesFile = join(directory, 'notes.txt')
  const readyFile = join(directory, 'ready.json')
  mkdirSync(join(project, 'policies'), { recursive: true })
  writeFileSync(join(project, 'policies', 'e2e.cedar'), POLICY)
  const workspace = join(project, 'work')
  mkdirSync(workspace)
  // As root, commands run as somebody who owns nothing, and who has to get through here.
  for (const folder of ['.tidegate', '.tidegate/exec']) mkdirSync(join(project, folder), { mode: 0o711 })
  const setMode = (mode: string): void => writeFileSync(join(project, 'tidegate.yaml'), configurationOf(mode, notesFile))
  setMode('observe')
  const url = `http://127.0.0.1:${PORT}`
  let program: Program | undefined
  let before = ''
  const open: Client[] = []
  const tokenOf = (name: string): string => readFileSync(join(project, '.tidegate', 'tokens', `${name}.token`), 'utf8').trim()
  const client = (): Client => {
    const made = createClient({ url, token: tokenOf('olga') })
    open.push(made)
    return made
  }

  return {
    url,
    project,
    workspace,
    tokenFile: join(project, '.tidegate', 'tokens', 'host-claw.token'),
    token: () => tokenOf('host-claw'),
    notes: () => (existsSync(notesFile) ? readFileSync(notesFile, 'utf8').trimEnd().split('\n').filter(Boolean) : []),
    async start() {
      rmSync(readyFile, { force: true })
      program = startProgram([process.execPath, MAIN, '--project', project, '--ready-file', readyFile, '--port', String(PORT)])
      const deadline = Date.now() + READY_MS
      while (!existsSync(readyFile)) {
        if (!program.isRunning() || Date.now() > deadline) throw new Error(`Tidegate did not start: ${program.stderr()}`)
        await pause(20)
      }
    },
    async stop(signal = 'SIGTERM') {
      for (const each of open.splice(0)) each.close()
      if (program === undefined) return
      before += program.stderr()
      await program.stop(signal)
      program = undefined
    },
    setMode,
    async host() {
      const answer = await fetch(`${url}/v1/hosts`, { headers: { authorization: `Bearer ${tokenOf('olga')}` } })
      // Ours: the server that we started.
      const { hosts } = (await answer.json()) as { readonly hosts: readonly HostLine[] }
      const [host] = hosts
      if (host === undefined) throw new Error('The server knows no host.')
      return host
    },
    client,
    async answer(vote) {
      const people = client()
      const [question] = await people.approvals('open')
      if (question === undefined) throw new Error('Nobody was asked anything.')
      const whole = await people.approval(question.id)
      await people.vote(whole.id, { vote, why: 'Looked at it', digest: whole.digest })
      return whole.id
    },
    output: () => before + (program?.stderr() ?? ''),
    async close() {
      for (const each of open) each.close()
      await program?.stop('SIGKILL')
    },
  }
}

/** What a call says decides: the cases name what they want to happen to them. */
const POLICY = `
@id("e2e.permitted")
@reason("this project permits what nothing forbids")
permit (principal, action, resource);

@id("e2e.denied")
@reason("this project denies what says deny-me")
forbid (principal, action, resource)
when { ${saying('deny-me')} };

@id("e2e.asks")
@outcome("ask")
@approvers("role:operator")
@reason("this project asks about what says ask-me")
forbid (principal, action, resource)
when { ${saying('ask-me')} }
unless { context.approvals.contains("e2e.asks") };
`

/** The argument in which a tool says what is to be done. */
function saying(word: string): string {
  const asked = (action: string, argument: string): string =>
    `action == Action::"${action}" && context.arguments has ${argument} && context.arguments.${argument} like "*${word}*"`
  const commands = ['openclaw.exec', 'openclaw.exec.look', 'openclaw.exec.reach', 'shell.look', 'shell.exec', 'shell.reach'].map(
    (action) => asked(action, 'command'),
  )
  return [...commands, asked('notes.add', 'line'), asked('openclaw.memory.read', 'query')].map((each) => `(${each})`).join(' || ')
}

function configurationOf(mode: string, notesFile: string): string {
  return `name: e2e-openclaw
trustDomain: e2e.example
environment: development
server: { port: ${PORT} }
people:
  - { id: user:olga, roles: [operator] }
  - { id: user:mei, roles: [staff] }
tools:
  - { file: ${JSON.stringify(NOTES)}, settings: { file: ${JSON.stringify(notesFile)} } }
workflows: []
policies: [policies/*.cedar]
exec: { workspace: work }
hosts:
  - { name: claw, kind: openclaw, mode: ${mode}, person: user:mei, operations: [notes.*, shell.*] }
`
}
