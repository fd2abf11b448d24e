/** Headers that are about one hop, or about the proxy. */
const ONE_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * The headers to send on, as names and values in turn: without those of this hop, with `Connection: close`, and with the host that was
 * decided on in place of what was written. Transfer coding is written anew by whoever sends them. `host` is null for an answer.
 */
export function forwardedHeaders(raw: readonly string[], host: string | null): string[] {
  const kept = host === null ? [] : ['Host', host]
  const named = new Set(namedByConnection(raw))
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const lower = name.toLowerCase()
    if (ONE_HOP.has(lower) || named.has(lower) || (host !== null && lower === 'host')) continue
    kept.push(name, raw[index + 1] ?? '')
  }
  return [...kept, 'Connection', 'close']
}

function namedByConnection(raw: readonly string[]): readonly string[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === 'connection'
      ? (raw[index + 1] ?? '').split(',').map((word) => word.trim().toLowerCase())
      : [],
  )
}
