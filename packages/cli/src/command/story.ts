import type { WireRunDetail, WireStory } from '@tidegate/protocol'
import type { Shell } from '../shell.ts'
import { styleState, type Tone } from '../terminal/style.ts'
import { renderDuration } from '../terminal/time.ts'

const LABELS: Readonly<Record<WireStory['lines'][number]['kind'], readonly [string, Tone]>> = {
  asked: ['Asked', 'faint'],
  saw: ['Saw', 'link'],
  understood: ['Understood', 'link'],
  decided: ['Decided', 'strong'],
  touched: ['Touched', 'good'],
  tried: ['Tried', 'warn'],
  undone: ['Undone', 'warn'],
  checked: ['Checked', 'good'],
  left: ['Left for a person', 'warn'],
}

const WIDTH = Math.max(...Object.values(LABELS).map(([label]) => label.length))

/** A run as its story, and what to type next. The texts must be inert. */
export function renderStory(shell: Shell, detail: WireRunDetail): string {
  const { style } = shell
  const took = renderDuration(detail.updatedAtMs - detail.openedAtMs)
  const head = `${style('strong', `Run ${detail.run}`)}  ${styleState(style, detail.heldBy === null ? detail.state : 'held')}  ${style('faint', `${detail.workflow}, ${took}`)}`
  const next = nextCommands(detail).map((command) => `  ${style('link', command)}`)
  return [
    head,
    `  ${detail.story.headline}`,
    '',
    ...detail.story.lines.map((line) => renderStoryLine(shell, line)),
    ...(next.length === 0 ? [] : ['', 'Next:', ...next]),
  ].join('\n')
}

/** One line of a story. */
export function renderStoryLine({ style }: Pick<Shell, 'style'>, { kind, text }: WireStory['lines'][number]): string {
  const [label, tone] = LABELS[kind]
  return `  ${style(tone, label)}${' '.repeat(WIDTH - label.length)}  ${text}`
}

function nextCommands(detail: WireRunDetail): readonly string[] {
  const open = detail.approvals.filter(({ state }) => state === 'open').map(({ id }) => `tidegate approvals show ${id}`)
  const items = detail.items.some(({ resolvedBy }) => resolvedBy === null) ? ['tidegate queue list'] : []
  const touched = detail.actions.some(({ effect, purpose, state }) => effect && purpose === 'act' && state === 'done')
  const undo =
    touched && detail.undoneBy === null && detail.state !== 'running' && detail.state !== 'waiting'
      ? [`tidegate undo ${detail.run} --as NAME --why "..."`]
      : []
  const lift = detail.heldBy === null ? [] : [`tidegate lift ${detail.heldBy} --as NAME --why "..."`]
  return [...open, ...items, ...lift, ...undo]
}
