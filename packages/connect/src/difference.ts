const MAX_LINES = 40

/** The lines that only one of two texts has, `-` the first and `+` the second, at most forty of them. For people, not for patching. */
export function differenceOf(a: Uint8Array, b: Uint8Array): string {
  const [before, after] = [linesOf(a), linesOf(b)]
  const [inBefore, inAfter] = [new Set(before), new Set(after)]
  const lines = [
    ...before.filter((line) => !inAfter.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !inBefore.has(line)).map((line) => `+ ${line}`),
  ]
  return lines.length > MAX_LINES
    ? [...lines.slice(0, MAX_LINES), `... and ${lines.length - MAX_LINES} more lines`].join('\n')
    : lines.join('\n')
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return new TextDecoder().decode(bytes).split(/\r?\n/)
}
