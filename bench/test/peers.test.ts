import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { seal } from '../peers/src/isolation.ts'
import { INSTALL_PEERS, PEERS, PEERS_ROOT, preparePeer } from '../src/peers/peers.ts'

const load = { actions: 1, inFlight: 1, seconds: 1, actionsPerRun: 1 }
const scratch = mkdtempSync(join(tmpdir(), 'tidegate-peers-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A folder in which every peer looks installed. */
const installed = join(scratch, 'installed')
for (const name of PEERS.flatMap(({ packages }) => packages)) {
  const manifest = join(installed, 'node_modules', name, 'package.json')
  mkdirSync(dirname(manifest), { recursive: true })
  writeFileSync(manifest, '{}')
}

describe('the peers', () => {
  test.each(PEERS)('$name, not installed, is skipped with the command that installs it', (peer) => {
    const answer = preparePeer(peer, load, { root: join(scratch, 'empty'), scratch })
    expect(answer).toMatchObject({ name: peer.name, skipped: expect.stringContaining(INSTALL_PEERS) })
  })

  test.each(PEERS)('$name sees nothing of our environment', (peer) => {
    const answer = preparePeer(peer, load, { root: installed, scratch })
    if ('skipped' in answer) return expect(peer.network).toBe('sealed')
    expect(Object.keys(answer.environment ?? {})).toEqual(['PATH', 'HOME', 'TMPDIR'])
  })

  test.each(PEERS.filter(({ network }) => network === 'sealed'))('$name is only ever started by unshare', (peer) => {
    const answer = preparePeer(peer, load, { root: installed, scratch })
    if ('skipped' in answer) return expect(answer.skipped).toContain('unshare')
    expect(answer.program).toBe('unshare')
    expect(answer.args).toEqual(expect.arrayContaining(['--net', '--mount']))
  })

  test('restate is sealed', () => {
    expect(PEERS.filter(({ family }) => family === 'restate').map(({ network }) => network)).toEqual(['sealed'])
  })

  test.runIf(process.platform === 'linux')('a process in the namespaces outside does not count as sealed', () => {
    const net = readlinkSync('/proc/self/ns/net')
    const mnt = readlinkSync('/proc/self/ns/mnt')
    const own = 'not started in a network and a mount namespace of its own'
    expect(seal({ net, mnt })).toBe(own)
    expect(seal({ net: 'net:[1]', mnt })).toBe(own)
    expect(seal({ net, mnt: 'mnt:[1]' })).toBe(own)
    expect(seal({ net: '', mnt: '' })).toBe(own)
    expect(seal({ net: 'net:[1]', mnt: 'net:[1]' })).toBe(own)
  })
})

describe('the folder of the peers', () => {
  const lock = JSON.parse(readFileSync(join(PEERS_ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Record<string, unknown>>
  }

  test('is no workspace of the root, so `npm ci` there installs no peer', () => {
    const root = JSON.parse(readFileSync(join(PEERS_ROOT, '../../package.json'), 'utf8')) as { workspaces: string[] }
    expect(root.workspaces).toContain('bench')
    expect(root.workspaces.filter((pattern) => pattern.startsWith('bench/'))).toEqual([])
  })

  test('locks every package by hash and names no registry', () => {
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
    expect(entries.length).toBeGreaterThan(20)
    for (const [path, entry] of entries) {
      expect(entry, path).not.toHaveProperty('resolved')
      expect(entry, path).toHaveProperty('integrity', expect.stringMatching(/^sha(512|1)-/))
    }
  })

  test('pins exact versions', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(PEERS_ROOT, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >
    for (const version of Object.values({ ...dependencies, ...optionalDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
  })

  test('has no package that reports its own installation', () => {
    expect(Object.keys(lock.packages).filter((path) => path.includes('scarf'))).toEqual([])
  })
})
