/** The longest message that is passed on, in characters. */
const MAX_LINE = 4_194_304

/** Thrown away: a line without an end. */
export const TOO_LONG = Symbol('a line that is too long')

/** Cuts a stream of text into its lines. A line that is too long is not kept in memory; that there was one is still told. */
export async function* linesOf(input: AsyncIterable<string>): AsyncGenerator<string | typeof TOO_LONG> {
  let rest = ''
  let isTooLong = false
  for await (const text of input) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (isTooLong || line.length > MAX_LINE) yield TOO_LONG
      else if (line.trim() !== '') yield line
      isTooLong = false
    }
    if (rest.length <= MAX_LINE) continue
    isTooLong = true
    rest = ''
  }
  if (isTooLong) yield TOO_LONG
  else if (rest.trim() !== '') yield rest
}

/** The data of server-sent events, as they come. */
export async function* eventsOf(input: AsyncIterable<string>): AsyncGenerator<string> {
  let data: string[] = []
  for await (const line of rawLines(input)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    else if (line === '' && data.length > 0) {
      yield data.join('\n')
      data = []
    }
  }
}

async function* rawLines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of input) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
}
