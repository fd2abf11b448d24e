import { BlockList, isIP } from 'node:net'

/** Where an address leads, as far as it matters to who may be called. */
export type AddressKind = 'public' | 'loopback' | 'refused'

/**
 * IPv4 networks that no tool calls: this network, private use, shared address space (carrier NAT; some clouds keep their metadata
 * there), link-local (most metadata services), protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved, and
 * one public address that a cloud uses for its virtual machines' host.
 */
const REFUSED_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Parts of the global unicast space 2000::/3 that no tool calls: tunnels that hide an IPv4 address, and documentation. */
const REFUSED_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const REFUSED = blockList([
  ...REFUSED_IPV4.map(([network, prefix]) => [network, prefix, 'ipv4'] as const),
  ...REFUSED_IPV6.map(([network, prefix]) => [network, prefix, 'ipv6'] as const),
])
const LOOPBACK_IPV4 = blockList([['127.0.0.0', 8, 'ipv4']])
const LOOPBACK_IPV6 = blockList([['::1', 128, 'ipv6']])
const GLOBAL_IPV6 = blockList([['2000::', 3, 'ipv6']])

/**
 * Says whether an address may be called. Fails closed: what is no plain address, what carries a zone, and every IPv6 address outside
 * of global unicast (mapped IPv4, NAT64, unique local, link-local, multicast) is refused.
 */
export function classifyAddress(address: string): AddressKind {
  if (address.includes('%')) return 'refused'
  const family = isIP(address)
  if (family === 4) {
    if (LOOPBACK_IPV4.check(address, 'ipv4')) return 'loopback'
    return REFUSED.check(address, 'ipv4') ? 'refused' : 'public'
  }
  if (family !== 6) return 'refused'
  if (LOOPBACK_IPV6.check(address, 'ipv6')) return 'loopback'
  return GLOBAL_IPV6.check(address, 'ipv6') && !REFUSED.check(address, 'ipv6') ? 'public' : 'refused'
}

function blockList(networks: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix, family] of networks) list.addSubnet(network, prefix, family)
  return list
}
