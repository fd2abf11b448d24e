import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { withHost, withoutHost } from '../src/connect/host-entry.ts'

const CLAUDE = { name: 'claude', kind: 'claude-code', mode: 'observe' } as const
const LISTED = '  - name: claude\n    kind: claude-code\n    mode: observe'

const added: readonly (readonly [string, string, string])[] = [
  ['no hosts', 'name: x # mine\n', `name: x # mine\n\nhosts:\n${LISTED}\n`],
  ['no line end', 'name: x', `name: x\n\nhosts:\n${LISTED}\n`],
  ['an empty list', 'name: x\nhosts: [] # none\n', 'name: x\nhosts: [{ name: claude, kind: claude-code, mode: observe }] # none\n'],
  ['an empty value', 'hosts:\nname: x\n', `hosts:\n${LISTED}\nname: x\n`],
  ['another, with what follows', 'hosts:\n  - name: claw # one\n    kind: openclaw # two\n\n# end\nname: x\n', `hosts:\n  - name: claw # one\n    kind: openclaw # two\n${LISTED}\n\n# end\nname: x\n`],
  ['another without indentation', 'hosts:\n- name: claw\n  kind: openclaw\n', 'hosts:\n- name: claw\n  kind: openclaw\n- name: claude\n  kind: claude-code\n  mode: observe\n'],
  ['another on one line', 'hosts: [{name: claw, kind: openclaw}]\n', 'hosts: [{name: claw, kind: openclaw}, { name: claude, kind: claude-code, mode: observe }]\n'],
  ['itself', `hosts:\n${LISTED} # so\n`, `hosts:\n${LISTED} # so\n`],
  ['itself, enforced', `hosts:\n${LISTED.replace('observe', 'enforce')} # so\n`, `hosts:\n${LISTED} # so\n`],
  ['itself, without a mode', 'hosts:\n  - kind: claude-code\n    name: claude # me\n    person: user:mei\n', 'hosts:\n  - kind: claude-code\n    name: claude # me\n    mode: observe\n    person: user:mei\n'],
] // biome-ignore format: before and after
describe('on top of', () => {
  test.each(added)('%s', (_, before, after) => {
    expect(withHost(before, CLAUDE)).toBe(after)
    expect(withHost(after, CLAUDE)).toBe(after)
  })

  test.each(added.slice(0, 6).filter(([name]) => !name.includes('empty') && name !== 'no line end'))(
    '%s, and out again',
    (_, before, after) => {
      expect(parse(withoutHost(after, 'claude') ?? '').hosts).toEqual(parse(before).hosts)
      expect(withoutHost(after, 'claude')).toBe(before)
    },
  )

  test('of several it is the named one that goes', () => {
    const text = `hosts:\n  - name: a\n    kind: mcp\n${LISTED}\n  # of b\n  - name: b\n    kind: mcp\n`
    expect(parse(withoutHost(text, 'claude') ?? '').hosts).toEqual([{ name: 'a', kind: 'mcp' }, { name: 'b', kind: 'mcp' }]) // biome-ignore format: short
    expect(withoutHost('name: x\n', 'claude')).toBe('name: x\n')
    expect(withoutHost('hosts: [{ name: claude, kind: claude-code }]\n', 'claude')).toBeUndefined()
  })
})

test.each([
  ['the same name of another kind', 'hosts:\n  - name: claude\n    kind: mcp\n', /another kind/],
  ['hosts that are no list', 'hosts: none\n', /not a list/],
  ['what is not YAML', 'hosts: [\n', /cannot be read/],
  ['a list with an alias', 'x: &a\n  - name: b\n    kind: mcp\nhosts: *a\n', /not a list|cannot be added to/],
])('refuses %s', (_, text, why) => {
  expect(() => withHost(text, CLAUDE)).toThrow(why)
})
