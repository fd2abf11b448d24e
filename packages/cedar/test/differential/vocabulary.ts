/** What random policies, entities and requests speak of. Few names, so that they meet; odd ones, so that nothing is taken for granted. */
export const ENTITY_TYPES = ['User', 'Team', 'Org::Doc'] as const
export const ENTITY_IDS = ['a', 'b', 'c', '', 'say "x"', 'é\u{1F600}', '__proto__'] as const
export const ACTIONS = ['view', 'edit', 'share', 'read', 'write', 'any'] as const
/** Parents of each action. */
export const ACTION_GROUPS: Readonly<Record<string, readonly string[]>> = {
  view: ['read'],
  edit: ['write', 'read'],
  share: [],
  read: ['any'],
  write: ['any'],
  any: [],
}

export const KINDS = ['bool', 'long', 'string', 'entity', 'set', 'record', 'decimal', 'ip', 'datetime', 'duration'] as const
export type Kind = (typeof KINDS)[number]

/** Attributes and the kind of value that they usually have. */
export const ATTRIBUTES: ReadonlyMap<string, Kind> = new Map([
  ['flag', 'bool'],
  ['count', 'long'],
  ['size', 'long'],
  ['name', 'string'],
  ['owner', 'entity'],
  ['tags', 'set'],
  ['nested', 'record'],
  ['price', 'decimal'],
  ['source', 'ip'],
  ['at', 'datetime'],
  ['span', 'duration'],
  ['a b', 'long'],
  ['constructor', 'string'],
  ['__proto__', 'long'],
  ['if', 'bool'],
])
export const ATTRIBUTE_NAMES = [...ATTRIBUTES.keys(), 'toString', 'absent']

export const STRINGS = [
  '',
  'a',
  'b',
  'ab',
  'aba',
  'a*b',
  'x"y',
  'tab\there',
  '\u{1F600}',
  'é',
  'name',
  'flag',
  '127.0.0.1',
  '1.0',
  '1d',
] as const

export const LONGS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, -1n, -2n, -3n, 12n, 60n, 100n],
  0n,
  1n,
  -1n,
  2n,
  3n,
  -7n,
  10n,
  1000n,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n),
  -(2n ** 53n) - 1n,
  3_037_000_500n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n) + 1n,
  -(2n ** 63n),
]

const DECIMALS = [
  '0.0',
  '-0.0',
  '1.0',
  '1.5',
  '1.50',
  '-2.25',
  '0.0001',
  '922337203685477.5807',
  '-922337203685477.5808',
  '12345.6789',
]
const IPS = [
  '127.0.0.1',
  '127.0.0.0/8',
  '127.0.0.1/7',
  '10.1.2.3/24',
  '0.0.0.0/0',
  '255.255.255.255',
  '224.0.0.1',
  '224.0.0.0/3',
  '::1',
  '::1/127',
  '::',
  '::/0',
  'ff00::/8',
  'ff02::1',
  'fe80::1/10',
  '1:2:3:4:5:6:7::',
  'ABCD:EF01:2345:6789:abcd:ef01:2345:6789/64',
  '::ffff:7f00:1',
]
const DATETIMES = [
  '1970-01-01',
  '2024-02-29',
  '2026-11-20T12:30:00Z',
  '2026-11-20T23:59:59.999+0530',
  '1969-12-31T23:59:59.999Z',
  '0000-01-01',
  '9999-12-31T23:59:59-2359',
  '1900-03-01T00:00:00+2359',
]
const DURATIONS = [
  '0ms',
  '1ms',
  '-1ms',
  '1d',
  '-1d2h3m4s5ms',
  '90m',
  '9223372036854775807ms',
  '-9223372036854775808ms',
  '106751991167d',
  '23h59m',
]

/** Texts that each constructor takes. */
export const VALID: Readonly<Record<'decimal' | 'ip' | 'datetime' | 'duration', readonly string[]>> = {
  decimal: DECIMALS,
  ip: IPS,
  datetime: DATETIMES,
  duration: DURATIONS,
}

/** Texts that some constructor refuses: every reason that it has. */
export const INVALID: readonly string[] = [
  '',
  '-',
  '1',
  '1.',
  '.5',
  '--1.0',
  '1.00000',
  '922337203685477.5808',
  '-922337203685477.5809',
  '99999999999999999999.0',
  '1.0 ',
  '256.1.1.1',
  '01.1.1.1',
  '1.2.3',
  '1.1.1.1/33',
  '1.1.1.1/033',
  '1.1.1.1/01',
  '1.1.1.1/x',
  '1.1.1.1/',
  '::/129',
  '::/300',
  '::ffff:127.0.0.1',
  ':::',
  ':::/3',
  '1::2::3',
  '1:2:3:4::5:6:7:8',
  '12345::',
  '1:2:3:4:5:6:7:8:9',
  'ABCD:EF01:2345:6789:abcd:ef01:2345:6789/1280',
  '2024-13-01',
  '2023-02-29',
  '2024-1-1',
  '2024-01-01T1:2:3Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T23:59:60Z',
  '2024-01-01T00:00:00',
  '2024-01-01T00:00:00.1Z',
  '2024-01-01T00:00:00+2400',
  '2024-01-01T00:00:00+0060',
  '1x',
  '1ms1s',
  '1d1d',
  '9223372036854775808ms',
  '18446744073709551616ms',
  '106751991168d',
]
