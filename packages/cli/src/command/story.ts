import type { WireRunDetail, WireStory } from '@tidegate/protocol'
import type { Shell } from '../shell.ts'
import { hang } from '../terminal/wrap.ts'
import { styleState, type Tone } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
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
  left: ['Left to do', 'warn'],
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
    hang('  ', detail.story.headline, shell.columns),
    '',
    ...detail.story.lines.map((line, i) => renderStoryLine(shell, line, detail.story.lines[i - 1])),
    ...(next.length === 0 ? [] : ['', 'Next:', ...next]),
  ].join('\n')
}

/** One line of a story, broken to the width of the terminal. What stands below one of the same kind needs no label. */
export function renderStoryLine(
  { style, columns }: Pick<Shell, 'style' | 'columns'>,
  { kind, text }: WireStory['lines'][number],
  above?: WireStory['lines'][number],
): string {
  const [label, tone] = LABELS[kind]
  const shown = above?.kind === kind ? '' : style(tone, label)
  return hang(`  ${shown}${' '.repeat(WIDTH - widthOf(shown))}  `, text, columns)
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
