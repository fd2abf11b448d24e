// Runs the real Claude Code in a network of its own, against stand-ins of the model and of the server, and prints what happened.
// node inside.ts <claude> <node> <tidegate.js> <directory>
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type DoorStandIn, openDoorStandIn } from '../door-stand-in.ts'
import { openModelStandIn, type Scripts } from './model.ts'

const start = promisify(execFile)
const [claude = '', node = '', tidegate = '', directory = ''] = process.argv.slice(2)
const project = join(directory, 'project')
const home = join(directory, 'home')

const bash = (command: string) => ({ tool: 'Bash', input: { command } })
const SCRIPTS: Scripts = {
  write: [[bash('echo hello > made.txt')], [{ say: 'done' }]],
  parallel: [[bash('echo a > a.txt'), bash('echo b > b.txt'), bash('echo c > c.txt')], [{ say: 'done' }]],
  agent: [
    [
      {
        tool: 'Agent',
        input: { description: 'sub', prompt: 'SCRIPT:sub', subagent_type: 'general-purpose', run_in_background: false },
      },
    ],
    [{ say: 'done' }],
  ],
  sub: [[bash('echo s > sub.txt')], [{ say: 'done' }]],
  background: [
    [{ tool: 'Bash', input: { command: 'echo x > background.txt', run_in_background: true } }],
    [bash('sleep 0.5')],
    [{ say: 'done' }],
  ],
  fails: [[bash('exit 3')], [{ say: 'done' }]],
  again: [[bash('echo hello > made.txt')], [bash('echo hello > made.txt')], [{ say: 'done' }]],
}

/** What one conversation left behind. */
export interface Story {
  readonly files: readonly string[]
  readonly contents: string
  /** What the model was told of its calls, in order. */
  readonly told: readonly string[]
  readonly asked: readonly {
    readonly path: string
    readonly tool?: unknown
    readonly call?: unknown
    readonly session?: unknown
    readonly ok?: unknown
  }[]
  readonly exit: number | null
}

const permit = (body: Readonly<Record<string, unknown>>) => ({ answer: 'permit', arguments: body.arguments })
const stories: Record<string, Story> = {}

async function main(): Promise<void> {
  await start('ip', ['link', 'set', 'lo', 'up'])
  mkdirSync(join(home, '.claude'), { recursive: true })
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'tidegate.yaml'), 'name: test\n')
  const settings = '{\n  "model": "opus"\n}\n'
  writeFileSync(join(home, '.claude', 'settings.json'), settings)
  const open = (): Promise<DoorStandIn> => openDoorStandIn(project)

  let door = await open()
  await connect('--enforce', '--unproven', '--wait', '1')
  stories.allowed = await tell(door, 'write', ['--allowedTools', 'Bash'])
  door.answer(() => ({ answer: 'denied', reasons: ['not in this house'], failure: 'denied' }))
  stories.denied = await tell(door, 'write', ['--allowedTools', 'Bash'])
  stories.deniedInBypass = await tell(door, 'write', ['--dangerously-skip-permissions'])
  stories.parallelDenied = await tell(door, 'parallel', ['--allowedTools', 'Bash'])
  door.answer((body) =>
    String((body.arguments as { command?: string }).command).includes('b.txt')
      ? { answer: 'denied', reasons: ['b'], failure: 'denied' }
      : permit(body),
  )
  stories.parallelOne = await tell(door, 'parallel', ['--allowedTools', 'Bash'])
  door.answer((body) => (body.tool === 'Bash' ? { answer: 'denied', reasons: ['no'], failure: 'denied' } : permit(body)))
  stories.subAgent = await tell(door, 'agent', ['--allowedTools', 'Bash', 'Agent'])
  stories.background = await tell(door, 'background', ['--allowedTools', 'Bash'])
  let times = 0
  door.answer((body) => {
    times += 1
    return times === 1 ? { answer: 'pending', approval: 'a-7', deadlineMs: 1, message: 'People are asked.' } : permit(body)
  })
  stories.askedThenApproved = await tell(door, 'again', ['--allowedTools', 'Bash'])
  door.answer((body) => ({ answer: 'permit', arguments: { ...(body.arguments as object), command: 'echo pinned > made.txt' } }))
  stories.pinned = await tell(door, 'write', ['--allowedTools', 'Bash'])
  door.answer(permit)
  stories.hostAsksBesides = await tell(door, 'write', [])
  stories.userDenies = await tell(door, 'write', ['--allowedTools', 'Bash', '--disallowedTools', 'Bash(echo:*)'])
  stories.fails = await tell(door, 'fails', ['--allowedTools', 'Bash'])
  door.answer(() => pause(120_000, undefined, { ref: false }))
  stories.hangs = await tell(door, 'write', ['--allowedTools', 'Bash'], 40_000)
  await door.close()
  stories.unreachable = await tell(door, 'write', ['--allowedTools', 'Bash'])
  await breakHook(async () => {
    stories.hookGone = await tell(door, 'write', ['--allowedTools', 'Bash'])
  })

  door = await open()
  await connect('--observe')
  door.answer((body) => ({ ...permit(body), mode: 'observe', would: { outcome: 'deny', reasons: ['x'] } }))
  stories.observed = await tell(door, 'write', ['--allowedTools', 'Bash'])
  stories.observedHostAsks = await tell(door, 'write', [])
  await door.close()
  stories.observedUnreachable = await tell(door, 'write', ['--allowedTools', 'Bash'])
  await start(node, [tidegate, 'disconnect', 'claude', '--project', project], {
    env: { PATH: `${dirname(claude)}:/usr/bin:/bin`, HOME: home },
  })
  const restored = readFileSync(join(home, '.claude', 'settings.json'), 'utf8') === settings
  process.stdout.write(`${JSON.stringify({ stories, restored })}\n`)
}

async function connect(...flags: readonly string[]): Promise<void> {
  await start(node, [tidegate, 'connect', 'claude-code', '--project', project, ...flags], {
    env: { PATH: `${dirname(claude)}:/usr/bin:/bin`, HOME: home },
  })
}

/** As if Tidegate had been uninstalled: the program of the hook is not there. */
async function breakHook(work: () => Promise<void>): Promise<void> {
  const file = join(home, '.claude', 'settings.json')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replaceAll(tidegate, `${tidegate}.gone`))
  await work()
  writeFileSync(file, text)
}

async function tell(door: DoorStandIn, script: string, args: readonly string[], timeoutMs = 30_000): Promise<Story> {
  const model = await openModelStandIn(SCRIPTS)
  const work = join(directory, `work-${Object.keys(stories).length}`)
  mkdirSync(work)
  const before = door.asked.length
  const child = spawn(claude, ['-p', `SCRIPT:${script}`, '--output-format', 'json', ...args], {
    cwd: work,
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: timeoutMs,
    env: {
      ...{ PATH: '/usr/bin:/bin', HOME: home, ANTHROPIC_API_KEY: 'sk-ant-test', ANTHROPIC_BASE_URL: model.url, IS_SANDBOX: '1' },
      ...{
        DISABLE_TELEMETRY: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_ERROR_REPORTING: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    },
  })
  const exit = await new Promise<number | null>((resolve) => {
    child.once('close', resolve)
  })
  await model.close()
  const made = join(work, 'made.txt')
  return {
    files: readdirSync(work).toSorted(),
    contents: existsSync(made) ? readFileSync(made, 'utf8').trim() : '',
    told: [...model.results.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text),
    asked: door.asked.slice(before).map(({ path, body: { tool, call, session, ok } }) => ({
      path,
      ...(tool === undefined ? {} : { tool }),
      ...(call === undefined ? {} : { call }),
      ...(session === undefined ? {} : { session }),
      ...(ok === undefined ? {} : { ok }),
    })),
    exit,
  }
}

await main()
process.exit(0)
