import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Json } from '@tidegate/kernel'
import type { z } from 'zod'
import { EvalsError } from '../error.ts'
import {
  type InjectionTask,
  type Pair,
  pairsSchema,
  type Suite,
  SUITE_LIMITS,
  suiteSchema,
  toolsSchema,
  type UserTask,
  type Vector,
} from './schema.ts'

/**
 * Reads every complete suite of a directory (`NAME.json` beside `NAME.pairs.json`; `NAME.tools.json` if the tools stand apart), by name.
 * What has tools and no tasks is left out. Throws {@link EvalsError} with the file and the JSON path of the first mistake.
 */
export function readSuites(directory: string): readonly Suite[] {
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new EvalsError('suite_missing', `${directory} is not a directory with suites`)
  const names = readdirSync(directory)
    .filter((file) => file.endsWith('.pairs.json'))
    .map((file) => file.slice(0, -'.pairs.json'.length))
    .toSorted()
  if (names.length === 0)
    throw new EvalsError('suite_missing', `${directory} holds no suite: expected NAME.json beside NAME.pairs.json`)
  return names.map((name) => readSuite(directory, name))
}

function readSuite(directory: string, name: string): Suite {
  const file = join(directory, `${name}.json`)
  if (!existsSync(file)) throw new EvalsError('suite_missing', `${basename(file)} is missing beside ${name}.pairs.json`)
  const data = readJson(file, suiteSchema)
  const toolsFile = join(directory, `${name}.tools.json`)
  const { tools } = existsSync(toolsFile) ? readJson(toolsFile, toolsSchema) : readJson(file, toolsSchema)
  const tasks = data.user_tasks.map(
    (task): UserTask => ({
      id: task.id,
      prompt: task.prompt,
      exposed: task.first_exposed_step ?? undefined,
      calls: task.ground_truth,
    }),
  )
  const injections = data.injection_tasks.map(
    (task): InjectionTask => ({
      id: task.id,
      goal: task.goal,
      calls: task.ground_truth,
      subsets: decisiveSets(task),
    }),
  )
  checkSubsets(injections, file)
  const vectors = data.injection_vectors.map((vector): [string, Vector] => {
    const fields = vector.paths.flatMap((path) => fieldAt(data.environment ?? null, path) ?? [])
    return [vector.id, { id: vector.id, text: vector.default, fields }]
  })
  const pairs = readPairs(join(directory, `${name}.pairs.json`), byId(tasks, file), byId(injections, file))
  return { name, tools, vectors: new Map(vectors), tasks, injections, pairs }
}

function readPairs(
  file: string,
  tasks: ReadonlyMap<string, UserTask>,
  injections: ReadonlyMap<string, InjectionTask>,
): readonly Pair[] {
  return readJson(file, pairsSchema).pairs.flatMap((pair, i): readonly Pair[] => {
    const user = tasks.get(pair.user_task)
    const injection = injections.get(pair.injection_task)
    if (user === undefined) throw invalid(file, `/pairs/${i}/user_task`, `no user task has the id "${pair.user_task}"`)
    if (injection === undefined)
      throw invalid(file, `/pairs/${i}/injection_task`, `no injection task has the id "${pair.injection_task}"`)
    const exposed = pair.first_exposed_step ?? user.exposed
    if (!pair.injectable || exposed === undefined) return []
    if (exposed >= user.calls.length)
      throw invalid(file, `/pairs/${i}/first_exposed_step`, `user task ${user.id} has no call ${exposed}`)
    const changed = pair.injection_calls_at_exposure
    const calls = changed == null ? injection.calls : changed.map((call, k) => ({ ...injection.calls[k], ...call }))
    return [{ user, injection, exposed, calls }]
  })
}

/** An attack of which nobody has said what is decisive has succeeded when all of it was executed. */
function decisiveSets(task: {
  readonly ground_truth: readonly unknown[]
  readonly minimal_successful_subsets: readonly (readonly number[])[]
}) {
  const { ground_truth: calls, minimal_successful_subsets: subsets } = task
  return subsets.length > 0 || calls.length === 0 ? subsets : [calls.map((_, place) => place)]
}

function checkSubsets(injections: readonly InjectionTask[], file: string): void {
  injections.forEach((task, i) => {
    task.subsets.forEach((subset, k) => {
      const beyond = subset.find((place) => place >= task.calls.length)
      if (beyond !== undefined)
        throw invalid(
          file,
          `/injection_tasks/${i}/minimal_successful_subsets/${k}`,
          `injection task ${task.id} has no call ${beyond}`,
        )
    })
  })
}

function byId<T extends { readonly id: string }>(items: readonly T[], file: string): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const item of items) {
    if (found.has(item.id)) throw new EvalsError('suite_invalid', `${basename(file)}: two tasks have the id "${item.id}"`)
    found.set(item.id, item)
  }
  return found
}

function readJson<T extends z.ZodType>(file: string, schema: T): z.output<T> {
  if (statSync(file).size > SUITE_LIMITS.fileBytes)
    throw new EvalsError('suite_limit', `${basename(file)} is larger than ${SUITE_LIMITS.fileBytes} bytes`)
  let data: unknown
  try {
    data = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new EvalsError('suite_invalid', `${basename(file)} is not JSON: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw invalid(file, `/${(issue?.path ?? []).map(String).join('/')}`, issue?.message ?? 'does not have the form of a suite')
}

function invalid(file: string, pointer: string, message: string): EvalsError {
  return new EvalsError('suite_invalid', `${basename(file)} ${pointer}: ${message}`)
}

const SEGMENT = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.([A-Za-z_][\w-]*)/g

/** The text at a path such as `$["a"][3].b`; undefined when there is none. */
function fieldAt(environment: Json, path: string): string | undefined {
  let at: Json | undefined = environment
  for (const [, quoted, index, plain] of path.matchAll(SEGMENT)) {
    if (typeof at !== 'object' || at === null) return undefined
    const key = quoted === undefined ? (index ?? plain ?? '') : (JSON.parse(`"${quoted}"`) as string)
    at = Object.hasOwn(at, key) ? (at as Readonly<Record<string, Json>>)[key] : undefined
  }
  return typeof at === 'string' ? at : undefined
}
