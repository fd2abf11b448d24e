import type * as BookModule from '../../packages/kernel/src/limit/meter-book.ts'
import type * as TrackModule from '../../packages/kernel/src/limit/meter-track.ts'
import type * as FactsModule from '../../packages/kernel/src/limit/meter-facts.ts'
import type * as LabelsModule from '../../packages/runtime/src/harness/labels.ts'
import type * as RebuildModule from '../../packages/runtime/src/meters/rebuild.ts'
import type * as TaintModule from '../../packages/runtime/src/taint/taint-index.ts'
import type { RunEvent, RunState } from '@tidegate/kernel'
import { active } from './active-mutation.ts'

const is = (name: string): boolean => active.name === name

export function mutateBook(original: typeof BookModule): typeof BookModule {
  return {
    ...original,
    createMeterBook(parts, dump) {
      const book = original.createMeterBook(parts, dump)
      const release = is('room never released') ? () => undefined : book.release
      return {
        ...book,
        release,
        reserve(request, nowMs) {
          const later = is('the window ends at the wall clock of tomorrow') ? nowMs + 86_400_000 : nowMs
          const reserved = book.reserve(request, later)
          if (is('room released before the record')) book.release(request.state.opened.run)
          return reserved
        },
      }
    },
  }
}

export function mutateTrack(original: typeof TrackModule): typeof TrackModule {
  return {
    ...original,
    foldTrack(track, event, atMs, take) {
      if (!is('what is ambiguous is given back') || event.type !== 'effect.ambiguous')
        return original.foldTrack(track, event, atMs, take)
      const { action, attempt } = event
      const nothing = { sealed: { output: null, message: '' }, lookAgainAtMs: null, found: 'absent' } as const
      original.foldTrack(track, { type: 'effect.reconciled', action, attempt, ...nothing }, atMs, take)
    },
  }
}

export function mutateMeterFacts(original: typeof FactsModule): typeof FactsModule {
  return { ...original, amountOf: (value) => (is('amounts counted as one') ? 1 : original.amountOf(value)) }
}

export function mutateRebuild(original: typeof RebuildModule): typeof RebuildModule {
  return {
    ...original,
    rebuildBook(parts) {
      if (!is('a restart forgets the ambiguous') && !is('a restart forgets keys')) return original.rebuildBook(parts)
      const { ledger } = parts
      const texts = (from: number, to: number) => [...ledger.texts(from, to)].map(forget)
      return original.rebuildBook({ ...parts, ledger: { head: ledger.head, texts } })
    },
  }
}

/** A leaf as a careless reader takes it. */
function forget(text: string): string {
  const leaf = JSON.parse(text) as { events: readonly RunEvent[] }
  const events = leaf.events.map((event): RunEvent => {
    if (event.type === 'effect.ambiguous' && is('a restart forgets the ambiguous')) {
      const { action, attempt } = event
      const sealed = { output: null, message: '' }
      return { type: 'effect.reconciled', action, attempt, found: 'absent', lookAgainAtMs: null, sealed }
    }
    if (event.type !== 'effect.started' || !is('a restart forgets keys')) return event
    const { metered: _, ...rest } = event
    return rest
  })
  return JSON.stringify({ ...leaf, events })
}

export function mutateLabels(original: typeof LabelsModule): typeof LabelsModule {
  return {
    ...original,
    createLabels(registry, sessions) {
      const labels = original.createLabels(registry, sessions)
      const seen = new Map<string, number>()
      /** Without what was answered in an earlier life. */
      const forgetful = (state: RunState): RunState => {
        const { run } = state.opened
        const known = seen.get(run) ?? state.actions.length
        seen.set(run, known)
        return { ...state, actions: state.actions.map((action) => (action.n < known ? { ...action, output: null } : action)) }
      }
      if (!is('labels forget at a restart')) return labels
      return { ...labels, factsOf: (question) => labels.factsOf({ ...question, state: forgetful(question.state) }) }
    },
  }
}

export function mutateTaint(original: typeof TaintModule): typeof TaintModule {
  return {
    ...original,
    openTaint(parts) {
      const empty = { ...parts.ledger, texts: () => [] }
      const index = original.openTaint(is('what was written is forgotten at a restart') ? { ...parts, ledger: empty } : parts)
      return is('what was written is not remembered') ? { ...index, mark: () => ({}) } : index
    },
  }
}
