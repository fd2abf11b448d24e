import { widthOf } from './width.ts'

const NARROWEST = 20

/** Breaks a text into lines of at most so many columns, between words where it can. Wide characters count two. */
export function wrap(text: string, columns: number): readonly string[] {
  const width = Math.max(NARROWEST, columns)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    if (line === '') line = word
    else if (widthOf(line) + 1 + widthOf(word) <= width) line = `${line} ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

/** The text after a label, its further lines under its first. The label takes the room that it is padded to. */
export function hang(label: string, text: string, columns: number): string {
  const room = widthOf(label)
  return wrap(text, columns - room)
    .map((line, i) => `${i === 0 ? label : ' '.repeat(room)}${line}`)
    .join('\n')
}

/** A word that is wider than a line is cut; others stay whole. */
function pieces(word: string, width: number): readonly string[] {
  if (widthOf(word) <= width) return [word]
  const cut: string[] = []
  let piece = ''
  for (const character of word) {
    if (widthOf(piece + character) > width) {
      cut.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...cut, piece]
}
