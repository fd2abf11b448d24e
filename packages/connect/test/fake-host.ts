import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectRequest, Finding, HostAdapter, HostEnvironment } from '../src/index.ts'
import { nodeAt, parseRelaxed, readFileState, removeAt, setAt } from '../src/index.ts'

/** A folder of a test, with what a connection is made in. */
export interface Ground {
  readonly directory: string
  readonly home: string
  readonly state: string
  request(over?: Partial<ConnectRequest>): ConnectRequest
  clean(): void
}

export function createGround(): Ground {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-connect-'))
  const home = join(directory, 'home')
  const state = join(directory, 'state', 'connections')
  mkdirSync(home)
  const environment: HostEnvironment = {
    ...{ home, cwd: directory, platform: process.platform, env: { PATH: '' } },
    run: async () => ({ code: null, stdout: '', stderr: '' }),
  }
  return {
    directory,
    home,
    state,
    request: (over = {}) => ({
      ...{ name: 'fake', mode: 'observe', permit: 'host', project: directory, environment },
      ...{ tokenFile: join(directory, 'token'), command: ['/bin/node', '/opt/tidegate.js'] },
      ...over,
    }),
    clean: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** A host whose configuration is `tidegate: {mode}` in one JSON file. */
export function fakeHost(file: string, findings: () => readonly Finding[] | Promise<readonly Finding[]> = () => []): HostAdapter {
  const textOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '{}\n' : new TextDecoder().decode(bytes))
  return {
    kind: 'mcp',
    title: 'Fake',
    detect: async () => ({
      installed: true,
      version: '1.0',
      files: [{ role: 'settings', file, exists: readFileState(file) !== undefined }],
      notes: [],
      surfaces: ['one', 'two'],
    }),
    plan: async ({ mode }) => {
      const before = readFileState(file)?.bytes
      const after = new TextEncoder().encode(setAt(textOf(before), ['tidegate'], { mode }))
      return { edits: [{ file, before, after, why: 'connects' }], notes: [] }
    },
    check: async () => findings(),
    withdraw: (_, current) => {
      try {
        const text = textOf(current)
        if (nodeAt(parseRelaxed(text), ['tidegate']) === undefined) return { state: 'clean', after: current, removed: [] }
        const rest = removeAt(text, ['tidegate'])
        return { state: 'clean', after: rest.trim() === '{}' ? undefined : new TextEncoder().encode(rest), removed: ['tidegate'] }
      } catch (error) {
        return { state: 'unclear', why: error instanceof Error ? error.message : 'unclear' }
      }
    },
  }
}
