import type { OperationsAccepted, PolicyAdopted, ProjectLoaded, TextRecorded } from './change-event.ts'

/** What a stop covers. `global` covers everything; the others name one agent, workflow, tool, operation or run. */
export type StopScope = 'global' | `agent:${string}` | `workflow:${string}` | `tool:${string}` | `run:${string}`

/** Events of the `control` stream: what holds for all runs at once. */
export type ControlEvent =
  | {
      readonly type: 'stop.raised'
      readonly stop: string
      readonly scope: StopScope
      /** `hold` keeps runs for a later lift; `kill` ends them. */
      readonly mode: 'hold' | 'kill'
      readonly by: string
      readonly why: string
    }
  | { readonly type: 'stop.lifted'; readonly stop: string; readonly by: string; readonly why: string }
  | { readonly type: 'breaker.opened'; readonly operation: string; readonly untilMs: number; readonly failures: number }
  | { readonly type: 'breaker.closed'; readonly operation: string }
  | { readonly type: 'server.started'; readonly version: string; readonly policyVersion: string; readonly configuration: string }
  | {
      /** An agent that is not ours is another than was proved, or has fallen silent; without kinds: all is well again. */
      readonly type: 'host.noticed'
      readonly host: string
      readonly kinds: readonly ('unproven' | 'silent')[]
      readonly detail: string
    }
  | { readonly type: 'run.erased'; readonly run: string; readonly by: string; readonly why: string }
  | TextRecorded
  | PolicyAdopted
  | ProjectLoaded
  | OperationsAccepted
