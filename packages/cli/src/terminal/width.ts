// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours take no room
const COLOUR = /\u001B\[[0-9;]*m/g
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u

/** How many columns of a terminal a text takes: wide characters two, combining ones none. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text.replace(COLOUR, '')) {
    if (/\p{M}/u.test(character)) continue
    width += WIDE.test(character) ? 2 : 1
  }
  return width
}
