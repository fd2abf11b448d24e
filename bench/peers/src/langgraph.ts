import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'
import Database from 'better-sqlite3'
import { parseLoad } from '../../src/child-arguments.ts'
import { effect, intentEntry, resultEntry } from '../../src/entry.ts'
import { drive } from '../../src/load.ts'
import { installedVersion } from './installed-version.ts'

const [name, ...options] = process.argv.slice(2)
const unsynced = name === 'langgraph-normal'
const load = parseLoad(options)
const directory = mkdtempSync(join(tmpdir(), 'tidegate-langgraph-'))
const database = new Database(join(directory, 'checkpoints.db'))
database.pragma('journal_mode = WAL')
// better-sqlite3 is compiled with NORMAL for WAL files that it opens; FULL stays only on the connection that created the file.
// After a restart, commits of `SqliteSaver.fromConnString` no longer wait for the disk. Hence both are measured.
database.pragma(`synchronous = ${unsynced ? 'NORMAL' : 'FULL'}`)

/** When the action under way in a thread began, and who wants to know that it ended. */
interface Progress {
  startedMs: number | undefined
  readonly finished: (latencyMs: number) => void
}

const progress = new Map<string, Progress>()

/** An action ends when the checkpoint after its effect is written: that is when the next node starts, or `invoke` returns. */
function end(thread: Progress | undefined): void {
  if (thread?.startedMs === undefined) return
  thread.finished(performance.now() - thread.startedMs)
  thread.startedMs = undefined
}

const State = Annotation.Root({
  runId: Annotation<string>,
  left: Annotation<number>,
  intent: Annotation<string>,
  result: Annotation<string>,
})

const graph = new StateGraph(State)
  .addNode('propose', ({ runId, left }) => {
    const thread = progress.get(runId)
    end(thread)
    if (thread !== undefined) thread.startedMs = performance.now()
    return { intent: intentEntry(runId, left) }
  })
  .addNode('act', async ({ runId, left }) => {
    await effect()
    return { result: resultEntry(runId, left), left: left - 1 }
  })
  .addEdge(START, 'propose')
  .addEdge('propose', 'act')
  .addConditionalEdges('act', ({ left }) => (left > 0 ? 'propose' : END))
  .compile({ checkpointer: new SqliteSaver(database) })

try {
  const window = await drive(load, async (runId, actions, finished) => {
    const thread: Progress = { startedMs: undefined, finished }
    progress.set(runId, thread)
    const config = { configurable: { thread_id: runId }, durability: 'sync' as const, recursionLimit: actions * 2 + 5 }
    await graph.invoke({ runId, left: actions, intent: '', result: '' }, config)
    end(thread)
    progress.delete(runId)
  })
  const saver = installedVersion('@langchain/langgraph-checkpoint-sqlite')
  const version = `${installedVersion('@langchain/langgraph')}, checkpoint-sqlite ${saver}`
  const durable = unsynced ? 'no: synchronous=NORMAL, a power cut loses recent checkpoints' : 'fsync'
  const synchronous = unsynced ? 'NORMAL as better-sqlite3 sets it for a file it reopens' : 'FULL'
  const driver = `better-sqlite3 ${installedVersion('better-sqlite3')}`
  const notes = `durability "sync", WAL, synchronous=${synchronous}, ${driver}, ${load.actionsPerRun} actions per thread`
  console.log(JSON.stringify({ name, version, inFlight: load.inFlight, ...window, durable, notes }))
} finally {
  database.close()
  rmSync(directory, { recursive: true, force: true })
}
