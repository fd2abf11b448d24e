import { extensionFailure } from './failure.ts'
import { Typed } from './value.ts'

/** Bytes of the longest text that can be an address with its prefix. */
const MAX_BYTES = 43
const IPV4_BITS = 32
const IPV6_BITS = 128
const MAX_U8 = 255

/** An IPv4 or IPv6 address with the length of its prefix; a single address has the longest. Equal when all three parts are. */
export class IpAddr extends Typed {
  readonly kind = 'ipaddr'
  readonly version: 4 | 6
  /** As a number of 32 or 128 bits, unmasked. */
  readonly address: bigint
  readonly prefix: number

  constructor(version: 4 | 6, address: bigint, prefix: number) {
    super()
    this.version = version
    this.address = address
    this.prefix = prefix
  }
}

/**
 * Parses `10.0.0.1`, `10.0.0.0/8`, `::1` or `fe80::/10`. IPv4 written inside IPv6 (`::ffff:127.0.0.1`) is refused, as are leading zeros.
 *
 * Fails with an evaluation failure, in Cedar's words.
 */
export function parseIp(text: string): IpAddr {
  if (byteLength(text) > MAX_BYTES) throw fail(`error parsing IP address from string \`${text}\`: string length is too large`)
  if (text.split(':').length > 2 && text.split('.').length > 2) {
    const why = 'We do not accept IPv4 embedded in IPv6 (e.g., ::ffff:127.0.0.1).'
    throw fail(`error parsing IP address from string: ${why} Found: \`${text}\``)
  }
  const slash = text.indexOf('/')
  const addressText = slash < 0 ? text : text.slice(0, slash)
  const v4 = parseIpv4(addressText)
  const address = v4 ?? parseIpv6(addressText)
  if (address === undefined) {
    if (slash < 0) throw fail(`invalid IP address: ${text}`)
    throw fail(`error parsing IP address from the string \`${addressText}\`: invalid IP address syntax`)
  }
  const bits = v4 === undefined ? IPV6_BITS : IPV4_BITS
  return new IpAddr(v4 === undefined ? 6 : 4, address, slash < 0 ? bits : parsePrefix(text.slice(slash + 1), bits))
}

/** True for 127.0.0.0/8 and ::1, when the whole range is inside. */
export function isLoopback({ version, address, prefix }: IpAddr): boolean {
  return version === 4 ? address >> 24n === 127n && prefix >= 8 : address === 1n && prefix >= IPV6_BITS
}

/** True for 224.0.0.0/4 and ff00::/8, when the whole range is inside. */
export function isMulticast({ version, address, prefix }: IpAddr): boolean {
  return version === 4 ? address >> 28n === 14n && prefix >= 4 : address >> 120n === 0xffn && prefix >= 8
}

/** True when the whole range is inside the other, which must be of the same version. */
export function isInRange(range: IpAddr, other: IpAddr): boolean {
  if (range.version !== other.version || range.prefix < other.prefix) return false
  const shift = BigInt((range.version === 4 ? IPV4_BITS : IPV6_BITS) - other.prefix)
  return range.address >> shift === other.address >> shift
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= MAX_U8))
    return undefined
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n)
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups = [...head, ...tail]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  if (halves.length === 1 ? groups.length !== 8 : groups.length > 7) return undefined
  const zeros = Array.from({ length: 8 - groups.length }, () => '0')
  return [...head, ...zeros, ...tail].reduce((address, group) => (address << 16n) | BigInt(`0x${group}`), 0n)
}

function parsePrefix(text: string, bits: number): number {
  const longest = bits === IPV4_BITS ? 2 : 3
  const bytes = byteLength(text)
  if (bytes > longest) throw fail(`error parsing prefix: string length ${bytes} is too large`)
  if (/[^0-9]/.test(text)) throw fail(`error parsing prefix \`${text}\`: encountered non-digit`)
  if (text === '') throw fail('error parsing prefix from the string ``: cannot parse integer from empty string')
  if (text.startsWith('0') && text !== '0') throw fail(`error parsing prefix \`${text}\`: leading zero(s)`)
  const prefix = Number(text)
  if (prefix > MAX_U8) throw fail(`error parsing prefix from the string \`${text}\`: number too large to fit in target type`)
  if (prefix > bits) throw fail(`error parsing prefix: ${prefix} is larger than the limit ${bits}`)
  return prefix
}

/** Bytes of the text in UTF-8. */
function byteLength(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}

function fail(message: string) {
  return extensionFailure('ipaddr', message)
}
