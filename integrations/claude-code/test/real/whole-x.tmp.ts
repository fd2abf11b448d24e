// Runs the real Claude Code under the real server, in a network of its own, with kills and restarts of both sides, and prints what happened.
// node whole.ts <claude> <node> <tidegate.js> <template of a project> <node_modules> <directory>
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openModelStandIn, type Said } from './model.ts'

const run = promisify(execFile)
const [claude = '', node = '', tidegate = '', template = '', modules = '', directory = ''] = process.argv.slice(2)
const project = join(directory, 'project')
const home = join(directory, 'home')
const work = join(directory, 'work')
const announced = join(project, '.tidegate', 'server.json')
const env = { PATH: `${join(directory, 'bin')}:/usr/bin:/bin`, HOME: home }
const UP_TRIES = 600

/** What came of the whole of it. */
export interface Whole {
  /** What the model was told of its calls, by conversation. */
  readonly told: Readonly<Record<string, readonly string[]>>
  readonly files: Readonly<Record<string, readonly string[]>>
  readonly hosts: readonly { readonly mode: string; readonly calls: number; readonly wouldHave: number }[]
  readonly verified: boolean
  readonly restored: boolean
}

const bash = (command: string): Said => ({ tool: 'Bash', input: { command } })
const ASKED = 'make deploy > made.txt; echo x > made.txt'

async function main(): Promise<Whole> {
  await run('ip', ['link', 'set', 'lo', 'up'])
  for (const folder of [home, work, join(directory, 'bin')]) mkdirSync(folder, { recursive: true })
  cpSync(template, project, { recursive: true })
  symlinkSync(modules, join(directory, 'node_modules'))
  symlinkSync(claude, join(directory, 'bin', 'claude'))
  const told: Record<string, readonly string[]> = {}
  const files: Record<string, readonly string[]> = {}
  const talk = async (name: string, script: readonly (readonly Said[])[], args: readonly string[] = []): Promise<void> => {
    told[name] = await tell(script, args)
    files[name] = readdirSync(work).toSorted()
  }
  await command('connect', 'claude-code')
  let server = await up()
  await talk('observed', [[bash('ls -la')], [bash('echo x > made.txt')]])
  rmSync(join(work, 'made.txt'))
  const { hosts } = JSON.parse(await command('hosts', '--json')) as Pick<Whole, 'hosts'>
  await command('connect', 'claude-code', '--enforce', '--unproven', '--wait', '1')
  await down(server)
  server = await up()
  await talk('enforced', [
    [bash('ls -la')],
    [{ tool: 'Write', input: { file_path: join(work, 'a.txt'), content: 'x' } }],
    [bash(ASKED)],
  ])
  await down(server)
  await talk('killed', [...skipped(4), [bash('ls -la')]], ['--continue'])
  server = await up()
  const { approvals } = JSON.parse(await command('approvals', 'list', '--json')) as {
    readonly approvals: readonly { readonly id: string }[]
  }
  for (const { id } of approvals) await command('approvals', 'approve', id, '--as', 'sam', '--yes', '--why', 'it is fine')
  await talk('approved', [...skipped(6), [bash(ASKED)]], ['--continue'])
  for (const { id } of approvals) process.stderr.write((await run(node, [tidegate, 'runs', 'show', id.slice(0, 26), '--project', project], { env }).catch((e) => ({ stdout: String(e) }))).stdout + '\n==\n'); const verified = (await command('ledger', 'verify')).includes('whole')
  await down(server)
  await command('disconnect', 'claude')
  return { told, files, hosts, verified, restored: !existsSync(join(home, '.claude', 'settings.json')) }
}

/** Turns of a conversation that are over. */
function skipped(turns: number): readonly (readonly Said[])[] {
  return Array.from({ length: turns }, () => [{ say: 'over' }])
}

async function command(...args: readonly string[]): Promise<string> {
  return (await run(node, [tidegate, ...args, '--project', project], { env })).stdout
}

async function up(): Promise<ChildProcess> {
  rmSync(announced, { force: true })
  const server = spawn(node, [tidegate, 'up', '--project', project], { env, stdio: 'ignore' })
  for (let i = 0; i < UP_TRIES && !existsSync(announced); i += 1) await pause(50)
  return server
}

/** As hard as it gets: neither of the two processes can put anything in order. */
async function down(server: ChildProcess): Promise<void> {
  const { pid } = JSON.parse(readFileSync(announced, 'utf8')) as { readonly pid: number }
  server.kill('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await pause(300)
}

async function tell(script: readonly (readonly Said[])[], args: readonly string[]): Promise<readonly string[]> {
  const model = await openModelStandIn({ whole: script })
  const child = spawn(claude, ['-p', 'SCRIPT:whole', '--allowedTools', 'Bash', 'Write', ...args], {
    cwd: work,
    stdio: 'ignore',
    timeout: 60_000,
    env: {
      ...{ ...env, ANTHROPIC_API_KEY: 'sk-ant-test', ANTHROPIC_BASE_URL: model.url, IS_SANDBOX: '1' },
      ...{
        DISABLE_TELEMETRY: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_ERROR_REPORTING: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    },
  })
  await new Promise((resolve) => child.once('close', resolve))
  await model.close()
  return [...model.results.values()]
}

process.stdout.write(`${JSON.stringify(await main())}\n`)
process.exit(0)
