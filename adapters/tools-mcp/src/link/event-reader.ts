/** What a reader of server-sent events tells. */
export interface EventSink {
  /** The data of one event of the kind `message`. */
  readonly message: (data: string) => void
  /** Where the stream can be taken up again. */
  readonly id: (id: string) => void
  /** How long the server wants us to wait before that. */
  readonly retry: (ms: number) => void
}

/**
 * Cuts a stream of text into events, as the HTML standard says in its section on server-sent events. The answer is false once an event has
 * more than so many characters: nothing is read after that.
 */
export function createEventReader(maxChars: number, sink: EventSink): (text: string) => boolean {
  let parts: string[] = []
  let data: string[] = []
  let size = 0
  let kind = ''
  let isAfterReturn = false
  const field = (name: string, value: string): void => {
    if (name === 'data') data.push(value)
    else if (name === 'event') kind = value
    else if (name === 'id' && !value.includes('\0')) sink.id(value)
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) sink.retry(Number(value))
  }
  const line = (text: string): void => {
    if (text === '') {
      const whole = data.join('\n')
      data = []
      size = 0
      const isMessage = kind === '' || kind === 'message'
      kind = ''
      if (whole !== '' && isMessage) sink.message(whole)
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return // a comment
    const value = colon < 0 ? '' : text.slice(colon + 1)
    field(colon < 0 ? text : text.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value)
  }
  return (text) => {
    let from = isAfterReturn && text.startsWith('\n') ? 1 : 0
    isAfterReturn = false
    let feed = -2
    let carriage = -2
    while (size <= maxChars) {
      if (feed !== -1 && feed < from) feed = text.indexOf('\n', from)
      if (carriage !== -1 && carriage < from) carriage = text.indexOf('\r', from)
      const end = feed < 0 ? carriage : carriage < 0 ? feed : Math.min(feed, carriage)
      const piece = end < 0 ? text.slice(from) : text.slice(from, end)
      size += piece.length
      if (size > maxChars) break
      if (piece !== '') parts.push(piece)
      if (end < 0) return true
      line(parts.length === 1 ? (parts[0] ?? '') : parts.join(''))
      parts = []
      isAfterReturn = end === carriage && end === text.length - 1
      from = end === carriage && text[end + 1] === '\n' ? end + 2 : end + 1
    }
    return false
  }
}
