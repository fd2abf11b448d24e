import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/** The namespaces of the process that started us, as `readlink /proc/self/ns/net` and `.../mnt` name them there. */
export interface Outside {
  readonly net: string
  readonly mnt: string
}

/**
 * Seals this process, which must already stand in namespaces of its own, against the world: loopback up, and an empty /run over
 * the sockets of the host's name resolver. Returns why it is not sealed, or nothing if it is.
 *
 * Sealed: network and mount namespace differ from those outside, no interface but the loopback is up, there is no IPv4 route, and
 * every IPv6 route is one of the loopback. In doubt it is not sealed: the engine behind this check calls a public host at every
 * start.
 */
export function seal(outside: Outside): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only'
  if (!isOwn('net', outside.net) || !isOwn('mnt', outside.mnt)) return 'not started in a network and a mount namespace of its own'
  if (openInterfaces().length > 0) return `the interface ${openInterfaces().join(', ')} is up`
  if (spawnSync('ip', ['link', 'set', 'lo', 'up']).status !== 0)
    return 'the loopback cannot be brought up: is iproute2 installed?'
  if (spawnSync('mount', ['-t', 'tmpfs', 'none', '/run']).status !== 0) return '/run cannot be hidden'
  const ipv4 = readFileSync('/proc/self/net/route', 'utf8').trim().split('\n').slice(1)
  if (ipv4.length > 0) return 'there is an IPv4 route'
  const ipv6 = readFileSync('/proc/self/net/ipv6_route', 'utf8').trim().split('\n')
  if (ipv6.some((route) => route !== '' && !route.endsWith(' lo'))) return 'there is an IPv6 route'
  return openInterfaces().length > 0 ? `the interface ${openInterfaces().join(', ')} is up` : undefined
}

function isOwn(namespace: 'net' | 'mnt', outside: string): boolean {
  return (
    /^(net|mnt):\[\d+\]$/.test(outside) && outside.startsWith(namespace) && readlinkSync(`/proc/self/ns/${namespace}`) !== outside
  )
}

function openInterfaces(): string[] {
  return Object.keys(networkInterfaces()).filter((name) => name !== 'lo')
}
