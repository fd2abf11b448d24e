import { toolOf } from './meter-facts.ts'
import type { RunTrack, TrackedAction } from './meter-track.ts'
import type { MeterScope } from './meter.ts'

/** The key by what is known of the run and the operation. Meters whose key is an argument do not ask. */
export function scopeKey(per: MeterScope, track: RunTrack, operation: string, tool: string): string {
  switch (per) {
    case 'agent':
      return track.agent
    case 'workflow':
      return track.workflow
    case 'user':
      return track.user
    case 'run':
      return track.run
    case 'tool':
      return tool
    case 'operation':
      return operation
    default:
      return ''
  }
}

/** The key under which something recorded counts; undefined when the record does not say, since no meter asked for it then. */
export function recordedKey(per: MeterScope, track: RunTrack, action: TrackedAction | null): string | undefined {
  if (per.startsWith('/')) return action?.metered?.keys?.[per]
  const operation = action?.operation ?? ''
  return scopeKey(per, track, operation, per === 'tool' ? toolOf(operation) : '')
}
