import { describe, expect, test } from 'vitest'
import { assemble } from '../src/seccomp/assemble.ts'
import { buildFilter } from '../src/seccomp/filter.ts'
import {
  AUDIT_ARCHITECTURES,
  LAST_KNOWN_CALL,
  type Machine,
  numberOf,
  REFUSED_CALLS,
  WATCHED_CALLS,
} from '../src/seccomp/syscalls.ts'

const ANSWERS = new Map([
  [0x7fff0000, 'allow'],
  [0x80000000, 'kill'],
  [0x50001, 'EPERM'],
  [0x50026, 'ENOSYS'],
])

/** What the kernel would do with a call, by a second reading of the instructions than the one that wrote them. */
function judge(
  filter: Uint8Array,
  call: { readonly architecture: number; readonly number: number; readonly arguments?: readonly bigint[] },
): string {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, call.number, true)
  data.setUint32(4, call.architecture, true)
  for (const [index, value] of (call.arguments ?? []).entries()) data.setBigUint64(16 + 8 * index, value, true)
  const code = new DataView(filter.buffer, filter.byteOffset, filter.length)
  let accumulator = 0
  for (let at = 0; at < filter.length; at += 8) {
    const operation = code.getUint16(at, true)
    const value = code.getUint32(at + 4, true)
    if (operation === 0x06) return ANSWERS.get(value) ?? `unknown ${value}`
    if (operation === 0x20) accumulator = data.getUint32(value, true)
    else if (operation === 0x54) accumulator = (accumulator & value) >>> 0
    else {
      expect([0x15, 0x25, 0x45]).toContain(operation)
      const compared = operation === 0x15 ? accumulator === value : accumulator > value
      const taken = operation === 0x45 ? (accumulator & value) !== 0 : compared
      at += 8 * code.getUint8(at + (taken ? 2 : 3))
    }
  }
  return 'ran off the end'
}

describe.each<Machine>(['x86_64', 'aarch64'])('the filter for %s', (machine) => {
  const filter = buildFilter(machine)
  const architecture = AUDIT_ARCHITECTURES[machine]
  const index = machine === 'x86_64' ? 0 : 1
  const ask = (number: number, ...values: bigint[]): string => judge(filter, { architecture, number, arguments: values })

  test('refuses everything on the list, and nothing else', () => {
    const refused = new Set(Object.values(REFUSED_CALLS).flatMap((numbers) => numberOf(numbers, machine) ?? []))
    const watched = new Set<number>(Object.values(WATCHED_CALLS).map((numbers) => numbers[index]))
    for (let number = 0; number <= LAST_KNOWN_CALL; number += 1) {
      if (!watched.has(number)) expect([number, ask(number)]).toEqual([number, refused.has(number) ? 'EPERM' : 'allow'])
    }
  })

  test('calls of another architecture end the process', () => {
    for (const other of [0x40000003, 0x40000028, 0xc000003e, 0xc00000b7, 0]) {
      if (other !== architecture) expect(judge(filter, { architecture: other, number: 0 })).toBe('kill')
    }
  })

  test.each([LAST_KNOWN_CALL + 1, 0x40000000, 0x40000027, 0x7fffffff, 0x80000000, 0xffffffff])(
    'call %i does not exist',
    (number) => {
      expect(ask(number)).toBe('ENOSYS')
    },
  )

  const { clone, clone3, ioctl, socket, socketpair } = WATCHED_CALLS
  test.each([
    ['a process', clone, [17n], 'allow'],
    ['a thread', clone, [0x3d0f00n], 'allow'],
    ['a user namespace', clone, [0x10000011n], 'EPERM'],
    ['a mount namespace', clone, [0x20000n], 'EPERM'],
    ['a cgroup namespace', clone, [0x2000000n], 'EPERM'],
    ['a uts namespace', clone, [0x4000000n], 'EPERM'],
    ['an ipc namespace', clone, [0x8000000n], 'EPERM'],
    ['a pid namespace', clone, [0x20000000n], 'EPERM'],
    ['a network namespace', clone, [0x40000000n], 'EPERM'],
    ['arguments in memory', clone3, [0n], 'ENOSYS'],
    ['the size of a terminal', ioctl, [0n, 0x5413n], 'allow'],
    ['terminal input', ioctl, [0n, 0x5412n], 'EPERM'],
    ['terminal input, high bits', ioctl, [0n, 0xdead00005412n], 'EPERM'],
    ['console input', ioctl, [0n, 0x541cn], 'EPERM'],
    ['another line discipline', ioctl, [0n, 0x5423n], 'EPERM'],
    ['tcp', socket, [2n, 1n, 0n], 'allow'],
    ['tcp that does not wait', socket, [2n, 0x80801n, 6n], 'allow'],
    ['udp over IPv6', socket, [10n, 2n, 17n], 'allow'],
    ['a raw socket', socket, [2n, 3n, 1n], 'EPERM'],
    ['icmp', socket, [2n, 2n, 1n], 'EPERM'],
    ['sctp', socket, [2n, 1n, 132n], 'EPERM'],
    ['mptcp', socket, [2n, 1n, 262n], 'EPERM'],
    ['unix', socket, [1n, 1n, 0n], 'EPERM'],
    ['netlink', socket, [16n, 3n, 0n], 'EPERM'],
    ['packet', socket, [17n, 3n, 0n], 'EPERM'],
    ['vsock', socket, [40n, 1n, 0n], 'EPERM'],
    ['vsock, high bits', socket, [0x100000028n, 1n, 0n], 'EPERM'],
    ['the crypto of the kernel', socket, [38n, 5n, 0n], 'EPERM'],
    ['a pair of streams', socketpair, [1n, 0x80001n, 0n], 'allow'],
    ['a pair of packets', socketpair, [1n, 5n, 0n], 'allow'],
    ['a pair of datagrams', socketpair, [1n, 2n, 0n], 'EPERM'],
    ['a raw pair', socketpair, [1n, 3n, 0n], 'EPERM'],
    ['a pair of something else', socketpair, [30n, 1n, 0n], 'EPERM'],
  ] as const)('%s', (_, numbers, values, answer) => {
    expect(ask(numbers[index], ...values)).toBe(answer)
  })
})

describe('the assembler', () => {
  const far = Array.from({ length: 256 }, () => ({ kind: 'load', offset: 0 }) as const)
  test.each([
    ['missing', [{ kind: 'equal', value: 0, to: 'nowhere' }]],
    [
      'behind',
      [
        { kind: 'label', name: 'a' },
        { kind: 'equal', value: 0, to: 'a' },
      ],
    ],
    ['too far', [{ kind: 'equal', value: 0, to: 'a' }, ...far, { kind: 'label', name: 'a' }]],
  ] as const)('refuses a jump to a label that is %s', (_, steps) => {
    expect(() => assemble(steps)).toThrow(expect.objectContaining({ code: 'sandbox_filter' }))
  })

  test('reaches as far as the kernel allows', () => {
    expect(assemble([{ kind: 'equal', value: 1, to: 'a' }, ...far.slice(1), { kind: 'label', name: 'a' }])[2]).toBe(255)
  })
})
