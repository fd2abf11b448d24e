import type { Json } from '@tidegate/kernel'
import { z } from 'zod'

/** Most of anything that one suite may hold: a suite comes from outside. */
export const SUITE_LIMITS = {
  fileBytes: 64 * 1024 * 1024,
  tools: 1_000,
  tasks: 5_000,
  calls: 200,
  pairs: 200_000,
  text: 1_000_000,
} as const

const name = z.string().min(1).max(200)
const id = z.union([name, z.number().transform(String)])
const text = z.string().max(SUITE_LIMITS.text)
const json = z.json() as unknown as z.ZodType<Json>
const args = z.record(z.string(), json)

const call = z.looseObject({ function: name, args, mutates_env: z.boolean().nullish() })
const userCall = call.extend({ result: json.optional(), vectors_seen: z.array(id).max(1_000).default([]) })
const injectionCall = call.extend({ result: json.optional() })
const step = z.number().int().min(0).nullish()

export const toolsSchema = z.looseObject({
  tools: z
    .array(z.looseObject({ name, description: text.default(''), parameters: z.record(z.string(), json).default({}) }))
    .max(SUITE_LIMITS.tools),
})

export const suiteSchema = z.looseObject({
  environment: json.optional(),
  injection_vectors: z
    .array(z.looseObject({ id, default: text.default(''), paths: z.array(text).max(1_000).default([]) }))
    .max(10_000)
    .default([]),
  user_tasks: z
    .array(
      z.looseObject({
        id,
        prompt: text,
        first_exposed_step: step,
        ground_truth: z.array(userCall).max(SUITE_LIMITS.calls),
      }),
    )
    .max(SUITE_LIMITS.tasks),
  injection_tasks: z
    .array(
      z.looseObject({
        id,
        goal: text,
        ground_truth: z.array(injectionCall).max(SUITE_LIMITS.calls),
        minimal_successful_subsets: z
          .array(z.array(z.number().int().min(0)).max(SUITE_LIMITS.calls))
          .max(1_000)
          .default([]),
      }),
    )
    .max(SUITE_LIMITS.tasks),
})

export const pairsSchema = z.looseObject({
  pairs: z
    .array(
      z.looseObject({
        user_task: id,
        injection_task: id,
        injectable: z.boolean().default(true),
        first_exposed_step: step,
        injection_calls_at_exposure: z.array(call).max(SUITE_LIMITS.calls).nullish(),
      }),
    )
    .max(SUITE_LIMITS.pairs),
})

/** A call of a tool, as the data spells it. */
export interface Call {
  readonly function: string
  readonly args: Readonly<Record<string, Json>>
  readonly result?: Json | undefined
  readonly vectors_seen?: readonly string[] | undefined
  /** Whether it changed the world when it was recorded; unknown for a call that was not. */
  readonly mutates_env?: boolean | null | undefined
}

export interface UserTask {
  readonly id: string
  readonly prompt: string
  readonly exposed: number | undefined
  readonly calls: readonly Call[]
}

export interface InjectionTask {
  readonly id: string
  readonly goal: string
  readonly calls: readonly Call[]
  /** Sets of places in `calls`: the attack has succeeded when all calls of one of them were executed. */
  readonly subsets: readonly (readonly number[])[]
}

export interface Vector {
  readonly id: string
  readonly text: string
  /** What stands where the attacker writes, by default: the whole field. */
  readonly fields: readonly string[]
}

export interface Pair {
  readonly user: UserTask
  readonly injection: InjectionTask
  readonly exposed: number
  /** The attack's calls, as they are at the moment of exposure. */
  readonly calls: readonly Call[]
}

export interface Suite {
  readonly name: string
  readonly tools: readonly { readonly name: string; readonly parameters: Readonly<Record<string, Json>> }[]
  readonly vectors: ReadonlyMap<string, Vector>
  readonly tasks: readonly UserTask[]
  readonly injections: readonly InjectionTask[]
  readonly pairs: readonly Pair[]
}
