/** What a piece of text means; how it looks follows from that. */
export type Tone = 'strong' | 'faint' | 'good' | 'bad' | 'warn' | 'link'

/** Writes a piece of text in a tone. */
export type Style = (tone: Tone, text: string) => string

const SEQUENCES: Readonly<Record<Tone, readonly [number, number]>> = {
  strong: [1, 22],
  faint: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  link: [36, 39],
}

/** A style that colours, or one that leaves text as it is. */
export function createStyle(options: { readonly colour: boolean }): Style {
  if (!options.colour) return (_, text) => text
  return (tone, text) => {
    const [on, off] = SEQUENCES[tone]
    return `\u001b[${on}m${text}\u001b[${off}m`
  }
}

/** Colour if it is asked for, or if somebody looks and has not asked for none (no-color.org). */
export function wantsColour(options: {
  readonly flag: boolean
  readonly isTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}): boolean {
  const { flag, isTty, env } = options
  if (!flag || (env.NO_COLOR ?? '') !== '') return false
  if ((env.FORCE_COLOR ?? '') !== '') return env.FORCE_COLOR !== '0'
  return isTty && env.TERM !== 'dumb'
}

const STATE_TONES: Readonly<Record<string, Tone>> = {
  completed: 'good',
  granted: 'good',
  consumed: 'good',
  waiting: 'warn',
  open: 'warn',
  escalated: 'warn',
  held: 'warn',
  undoing: 'warn',
  failed: 'bad',
  refused: 'bad',
  denied: 'bad',
  stopped: 'bad',
}

/** A state in its colour. */
export function styleState(style: Style, state: string): string {
  const tone = STATE_TONES[state]
  return tone === undefined ? state : style(tone, state)
}
