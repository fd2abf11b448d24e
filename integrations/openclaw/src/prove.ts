import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import {
  type Canary,
  canaryServer,
  type Fired,
  type ProvePorts,
  proveSurface,
  type ProveRequest,
  type StartedProgram,
  type SurfaceProof,
  type Turn,
} from '@tidegate/connect'
import type { JsonObject } from '@tidegate/kernel'
import { OURS } from './changes.ts'
import { agentOf, CANARY_SERVER, scratchConfiguration } from './scratch-configuration.ts'

const READY_MS = 240_000
const TALK_MS = 120_000
/** What a sub-agent needs besides the conversation that started it. */
const CHILD_MS = 180_000

/** A scratch OpenClaw that runs. */
interface Stage {
  readonly url: string
  readonly gatewayToken: string
  /** Commands and files are the agent's own while it is only observed. */
  readonly hasHands: boolean
  /** Says something to the agent; resolves when it has answered. */
  talk(word: string): StartedProgram
}

/**
 * Starts the gateway once in a scratch state, with the configuration as it is but for its model and its channels, and has the scripted
 * model make one call for each way of acting.
 */
export async function proveOpenClaw(request: ProveRequest, ports: ProvePorts): Promise<readonly SurfaceProof[]> {
  const { program, surfaces } = request.detection
  if (program === undefined) throw new Error('the program "openclaw" is not on the PATH')
  const copy = await copyState(request, ports)
  ports.note('Starting OpenClaw in a scratch state; this takes up to a minute ...')
  const gateway = ports.start(program, ['gateway', 'run'], { env: copy.env, cwd: copy.workspace })
  try {
    await untilReady(copy.url, gateway, ports.signal)
    const stage: Stage = {
      ...copy,
      hasHands: request.connection.mode === 'observe',
      talk: (word) =>
        ports.start(program, ['agent', '--agent', copy.agent, '--session-id', randomUUID(), '--message', word, '--json'], {
          env: copy.env,
          cwd: copy.workspace,
        }),
    }
    const proofs: SurfaceProof[] = []
    for (const name of surfaces) proofs.push(await proveOne(name, stage, ports))
    return proofs
  } finally {
    await gateway.stop()
  }
}

async function proveOne(name: string, stage: Stage, ports: ProvePorts): Promise<SurfaceProof> {
  const { hasHands } = stage
  const say = (turns: (canary: Canary) => readonly Turn[], timeoutMs?: number) => (canary: Canary) =>
    Promise.resolve(fired(stage, ports, canary, turns(canary), timeoutMs))
  switch (name) {
    case 'hook:tool': {
      const own = await proveSurface(
        ports,
        name,
        say(({ file }) => [[{ tool: 'exec', input: { command: `cat ${file}` } }]]),
      )
      // While enforcing there is no `exec`: then what is left to the agent has to come by.
      if (own.state === 'open' || own.state === 'intercepted') return own
      return proveSurface(
        ports,
        name,
        say(({ word }) => [[{ tool: 'memory_search', input: { query: word } }]]),
      )
    }
    case 'hook:mcp':
      return proveSurface(
        ports,
        name,
        say(({ word }) => [[{ tool: `${CANARY_SERVER}__look`, input: { word } }]]),
      )
    case 'mcp':
      return proveOwn(name, ports, say)
    case 'sub-agent':
      return proveSurface(
        ports,
        name,
        say(({ file, target, word }) => {
          // Its word, and not that of the canary: only the call of the sub-agent itself may count.
          const task = ports.model.play([
            hasHands
              ? [{ tool: 'exec', input: { command: `cat ${file}; cp ${file} ${target}` } }]
              : [{ tool: 'memory_search', input: { query: word } }],
          ])
          return [[{ tool: 'sessions_spawn', input: { task, label: 'canary' } }]]
        }, CHILD_MS),
      )
    case 'cron':
      // That the agent plans a job; what a planned command does later, no hook sees.
      return proveSurface(
        ports,
        name,
        say(({ word }) => [[{ tool: 'cron', input: { action: 'add', job: jobOf(word) } }]]),
      )
    case 'tools-invoke':
      return proveSurface(ports, name, (canary) => invoke(stage, canary))
    case 'cli-backend':
      return {
        name,
        state: 'unfired',
        detail: 'OpenClaw hands whole turns to another program; connect and prove that one itself',
      }
    default:
      return { name, state: 'unfired', detail: 'nothing is known of how to fire at it' }
  }
}

/** A job of the far future that only says its word. */
function jobOf(word: string): JsonObject {
  const schedule = { kind: 'at', at: '2099-01-01T00:00:00Z' }
  return { name: word, schedule, sessionTarget: 'main', wakeMode: 'next-heartbeat', payload: { kind: 'systemEvent', text: word } }
}

/** Our own tools, with the ticket that only the plugin gets. */
async function proveOwn(
  name: string,
  ports: ProvePorts,
  say: (turns: (canary: Canary) => readonly Turn[]) => (canary: Canary) => Promise<Fired>,
): Promise<SurfaceProof> {
  if (ports.tools.length === 0) return { name, state: 'absent', detail: 'no operation of ours is offered to this host' }
  for (const { name: tool, harmless } of ports.tools) {
    if (harmless === undefined) continue
    return proveSurface(
      ports,
      name,
      say(({ word }) => [[{ tool: `${OURS}__${tool}`, input: harmless(word) }]]),
    )
  }
  return { name, state: 'unfired', detail: 'none of the operations that are offered to this host is sure to be harmless' }
}

function fired(stage: Stage, { model }: ProvePorts, canary: Canary, turns: readonly Turn[], timeoutMs = TALK_MS): Fired {
  const word = model.play(turns)
  const talk = stage.talk(word)
  // A sub-agent goes on when the conversation that started it is over.
  const over = timeoutMs === TALK_MS ? talk.ended : talk.ended.then(() => new Promise(() => undefined))
  const told = (): string | undefined => model.results(word).at(-1)
  return {
    canary,
    timeoutMs,
    over,
    results: () => model.results(word),
    end: () => talk.stop(),
    absent: () => {
      const { length } = turns.flat().filter((each) => 'tool' in each && isOffered(model.offered(word), each.tool))
      if (length === 0 && model.offered(word).length > 0) return 'OpenClaw offers the agent no such tool in this conversation'
      const said = told()
      return said !== undefined && NOT_THERE.test(said)
        ? `OpenClaw has no such tool for the agent: ${said.slice(0, 160)}`
        : undefined
    },
    why: () => {
      const said = told()
      if (said !== undefined) return `the call was not made: ${said.slice(0, 300)}`
      return model.offered(word).length === 0
        ? `OpenClaw asked its model nothing: ${talk.output().trim().slice(-300)}`
        : 'no tool was called'
    },
  }
}

/** 2026.9.6 hides most tools behind one that calls them by name: what is hidden may be offered. */
function isOffered(offered: readonly string[], tool: string): boolean {
  return offered.includes(tool) || offered.includes('tool_call')
}

const NOT_THERE = /\b(?:tool\b.{0,80}\bnot (?:found|available)|unknown tool|no such tool|not found\b.{0,40}\btool)/i

async function invoke({ url, gatewayToken }: Stage, canary: Canary): Promise<Fired> {
  const answer = await fetch(`${url}/tools/invoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gatewayToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tool: 'memory_search', args: { query: canary.word } }),
    signal: AbortSignal.timeout(TALK_MS),
  })
  const text = (await answer.text()).slice(0, 300)
  return {
    canary,
    timeoutMs: TALK_MS,
    over: Promise.resolve(),
    results: () => [],
    absent: () => (answer.status === 404 ? `the gateway answers 404: ${text.slice(0, 120)}` : undefined),
    why: () => `the gateway answered ${answer.status}: ${text}`,
  }
}

async function copyState({ connection, detection }: ProveRequest, { scratch, model }: ProvePorts) {
  const file = detection.files.find(({ role }) => role === 'configuration')?.file
  if (file === undefined || !existsSync(file)) throw new Error('there is no configuration of OpenClaw')
  const bytes = readFileSync(file)
  const [home, state, workspace] = ['home', 'state', 'workspace'].map((name) => join(scratch, name)) as [string, string, string]
  for (const folder of [home, state, workspace]) mkdirSync(folder, { recursive: true })
  const { env, home: own } = connection.environment
  const extensions = join(env.OPENCLAW_STATE_DIR ?? join(own, '.openclaw'), 'extensions')
  if (existsSync(extensions)) cpSync(extensions, join(state, 'extensions'), { recursive: true, dereference: true })
  const port = await freePort()
  const gatewayToken = randomBytes(24).toString('hex')
  const configFile = join(scratch, 'openclaw.json')
  const place = { port, gatewayToken, modelUrl: model.url, workspace, logFile: join(scratch, 'gateway.jsonl') }
  writeFileSync(configFile, scratchConfiguration(bytes, { ...place, canaries: canaryServer(scratch) }), { mode: 0o600 })
  return {
    workspace,
    gatewayToken,
    url: `http://127.0.0.1:${port}`,
    agent: agentOf(bytes),
    env: {
      ...{ PATH: env.PATH, LANG: env.LANG, TMPDIR: env.TMPDIR, HOME: home, OPENCLAW_STATE_DIR: state },
      ...{ OPENCLAW_CONFIG_PATH: configFile, OPENCLAW_DISABLE_BONJOUR: '1', DO_NOT_TRACK: '1', NO_COLOR: '1' },
    },
  }
}

async function untilReady(url: string, gateway: StartedProgram, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_MS
  while (gateway.isRunning() && !signal.aborted && performance.now() < deadline) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => {
      setTimeout(resolve, 250)
    })
  }
  throw new Error(`OpenClaw did not start: ${gateway.output().trim().slice(-300)}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // sound: it listens on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}
