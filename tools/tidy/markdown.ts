/** A heading of a document. */
export interface Heading {
  readonly level: number
  readonly text: string
}

const FENCE = /^(```|~~~)[^\n]*\n[\s\S]*?^\1[^\n]*$/gm
const INLINE = /`([^`\n]+)`/g

/** The headings of a document, those in code left out. Code marks inside a heading vanish. */
export function headingsOf(markdown: string): readonly Heading[] {
  return [...markdown.replace(FENCE, '').matchAll(/^(#{1,6}) +(.+?) *#*$/gm)].map(([, marks = '', text = '']) => ({
    level: marks.length,
    text: text.replaceAll('`', ''),
  }))
}

/** The sections below headings of one level, with what stands in each up to the next heading. */
export function sectionsOf(markdown: string, level: number): readonly { readonly heading: string; readonly body: string }[] {
  const [, ...parts] = markdown.split(new RegExp(`^${'#'.repeat(level)} +`, 'm'))
  return parts.map((part) => {
    const [heading = '', ...rest] = part.split('\n')
    return { heading, body: rest.join('\n').split(/^#{1,6} /m)[0] ?? '' }
  })
}

/** The anchor that a heading gets where documents are usually shown. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

/** Where the links and pictures of a document lead. */
export function linksOf(markdown: string): readonly string[] {
  return [...textWithoutCode(markdown).matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/gm)].map(
    ([, inline, listed]) => inline ?? listed ?? '',
  )
}

/** A document without blocks and pieces of code. */
export function textWithoutCode(markdown: string): string {
  return markdown.replace(FENCE, '').replace(INLINE, '')
}

/** Every call of a program that stands in code, as its words, without the name of the program. */
export function commandsIn(markdown: string, program: string): readonly (readonly string[])[] {
  const blocks = [...markdown.matchAll(FENCE)].flatMap(([block]) => block.split('\n').slice(1, -1))
  const inline = [...markdown.replace(FENCE, '').matchAll(INLINE)].map(([, code = '']) => code)
  const call = new RegExp(`^(?:\\$ )?(?:npx )?${program}(?: (.*))?$`)
  return [...blocks, ...inline].flatMap((line) => {
    const match = call.exec(line.trim())
    return match === null ? [] : [wordsOf(match[1] ?? '')]
  })
}

/** The words of a command line up to a comment or a pipe; what is quoted is one word. */
function wordsOf(line: string): readonly string[] {
  const bare = line.replace(/"[^"]*"|'[^']*'/g, (quoted) => quoted.replace(/\s/g, '_'))
  return (bare.split(/(?:^|\s)(?:#|\||>|&&)(?:\s|$)/)[0] ?? '').split(/\s+/).filter((word) => word !== '' && word !== '...')
}

/** Every path of the repository that stands in a document as code: one of its top folders, and what follows. State is not part of it. */
export function pathsIn(markdown: string, roots: readonly string[]): readonly string[] {
  const pieces = [...markdown.replace(FENCE, '').matchAll(INLINE)].map(([, code = '']) => code)
  return pieces.filter(
    (code) =>
      /^[\w.@-]+(?:\/[\w.@-]*)+$/.test(code) && roots.includes(code.split('/')[0] ?? '') && !/node_modules|\.tidegate/.test(code),
  )
}
