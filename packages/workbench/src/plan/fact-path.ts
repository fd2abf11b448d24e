import { isObject, type Json, type JsonObject, type PolicyRequest } from '@tidegate/kernel'
import type { Sample } from '../condition/answers.ts'

/** Declared by the owners of operations and workflows: what a run finds out does not change it. A stage is promoted, so it varies. */
const DECLARED = ['environment', 'risk', 'mutability', 'dataClass', 'blastRadius', 'nature', 'reversible', 'workflow']

/** Smallest and largest value of the numbers that have one; what is not listed starts at 0. */
export const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  stage: [0, 4],
  hour: [0, 23],
  weekday: [1, 7],
  confidence: [0, 10_000],
  'confidences.classification': [0, 10_000],
  'confidences.retrieval': [0, 10_000],
  'confidences.extraction': [0, 10_000],
}

export function isFixed(path: string): boolean {
  return DECLARED.includes(path)
}

/** The value of an attribute, under the name that policies have for it; undefined when it is absent. Decimals are scaled by 10,000. */
export function factAt(request: PolicyRequest, path: string): Json | undefined {
  const { user, client, workflow, context } = request
  const { time, ...facts } = context
  // Sound: facts are plain data.
  const view = {
    ...facts,
    now: time.nowMs,
    hour: time.hour,
    weekday: time.weekday,
    user,
    client,
    workflow,
  } as unknown as JsonObject
  return path
    .split('.')
    .reduce<Json | undefined>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), view)
}

const TIMES: Readonly<Record<string, 'nowMs' | 'hour' | 'weekday'>> = { now: 'nowMs', hour: 'hour', weekday: 'weekday' }

/** The request with one attribute changed. */
export function withFact(request: PolicyRequest, path: string, sample: Sample): PolicyRequest {
  const value = rawValue(sample)
  if (path === 'user' || path === 'client') return { ...request, [path]: String(value) }
  const { context } = request
  const time = TIMES[path]
  if (time !== undefined) return { ...request, context: { ...context, time: { ...context.time, [time]: value } } }
  // Sound: the sample fits the attribute, see variables.ts.
  return {
    ...request,
    context: put(context as unknown as JsonObject, path.split('.'), value) as unknown as PolicyRequest['context'],
  }
}

function put(owner: JsonObject, [name = '', ...rest]: readonly string[], value: Json | undefined): JsonObject {
  const { [name]: current, ...others } = owner
  if (rest.length > 0) return { ...owner, [name]: put(isObject(current) ? current : {}, rest, value) }
  return value === undefined ? others : { ...owner, [name]: value }
}

/** A sample as it stands in a request. */
export function rawValue(sample: Sample): Json | undefined {
  if (sample.kind === 'absent') return undefined
  return sample.kind === 'number' && sample.unit === 'decimal' ? sample.value / 10_000 : sample.value
}
