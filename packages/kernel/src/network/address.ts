import { type IpAddr, isInRange, isLoopback, parseIp } from '../policy/cedar/ip.ts'

/** Where an address leads. `private`: a network of somebody's own. `refused`: nowhere that anybody should be sent. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'refused'

const PRIVATE = ranges('10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7')

/**
 * This network, carrier NAT (some clouds keep their metadata there), one public address that a cloud uses for the host of its virtual machines,
 * link-local (most metadata services), protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved; the metadata of a cloud in a private
 * network of IPv6; tunnels that hide an IPv4 address.
 */
const REFUSED = ranges(
  `0.0.0.0/8 100.64.0.0/10 168.63.129.16 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
  224.0.0.0/4 240.0.0.0/4 fd00:ec2::/32 2001::/23 2001:db8::/32 2002::/16 3fff::/20`,
)

const GLOBAL_IPV6 = ranges('2000::/3')

/**
 * Says where an address leads (RFC 6890 and its registries). Fails closed: what is no plain address, what carries a zone or hides an IPv4 address, and IPv6
 * that is neither global unicast nor private, is refused.
 */
export function kindOfAddress(text: string): AddressKind {
  const address = parsePlain(text)
  if (address === undefined) return 'refused'
  if (isLoopback(address)) return 'loopback'
  if (isIn(address, REFUSED)) return 'refused'
  if (isIn(address, PRIVATE)) return 'private'
  return address.version === 4 || isIn(address, GLOBAL_IPV6) ? 'public' : 'refused'
}

function parsePlain(text: string): IpAddr | undefined {
  if (text.includes('/')) return undefined
  try {
    return parseIp(text)
  } catch {
    return undefined
  }
}

function isIn(address: IpAddr, ranges: readonly IpAddr[]): boolean {
  return ranges.some((range) => isInRange(address, range))
}

function ranges(text: string): readonly IpAddr[] {
  return text.split(/\s+/).map(parseIp)
}
