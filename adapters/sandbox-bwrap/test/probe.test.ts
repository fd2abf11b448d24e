import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxReport } from '@tidegate/kernel'
import { afterAll, describe, expect, test } from 'vitest'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS, SandboxBwrapError } from '../src/index.ts'
import { createStage } from './stage.ts'

const stage = createStage()
afterAll(() => stage.close())
const directory = join(stage.directory, 'scratch')

/** A bubblewrap that does something else than it was told: bash that changes the list `arguments`. */
function brokenBwrap(name: string, change: string): string {
  const path = join(stage.directory, `bwrap-${name}`)
  const script = `#!/bin/bash
words=("$@")
without() { local kept=() word skip=0; for word in "\${words[@]}"; do
  if ((skip > 0)); then skip=$((skip - 1)); elif [[ $word == "$1" ]]; then skip=\${2-0}; else kept+=("$word"); fi; done; words=("\${kept[@]}"); }
insert() { local before=$1 kept=() word; shift; for word in "\${words[@]}"; do
  if [[ $word == "$before" ]]; then kept+=("$@"); fi; kept+=("$word"); done; words=("\${kept[@]}"); }
replace() { local i; for i in "\${!words[@]}"; do words[i]=\${words[i]//"$1"/"$2"}; done; }
if (( $# > 1 )); then ${change}; fi
exec /usr/bin/bwrap "\${words[@]}"
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
  return path
}

function leaked(report: SandboxReport): readonly string[] {
  return report.leaks.filter(({ state }) => state === 'leaked').map(({ name }) => name)
}

test('this host is sound: every layer is there, everything was tried, nothing gets out', async () => {
  const report = await stage.sandbox.probe()
  expect(report.layers.filter(({ required, state }) => required && state !== 'present')).toEqual([])
  expect(report.leaks.filter(({ state }) => state !== 'held')).toEqual([])
  expect(report.leaks.length).toBeGreaterThan(110)
  expect(report.sound).toBe(true)
})

describe('a control that is off is found, and nothing is opened', () => {
  test.each([
    [
      'filter',
      'without --seccomp 1',
      ['filter', 'call bpf', 'call keyctl', 'socket vsock', 'terminal input, high bits', 'clone3'],
    ],
    ['network', 'without --unshare-net', ['loopback of the host', 'packets to the host']],
    ['root', 'without --remount-ro 1', ['write to the root', 'write to /dev']],
    ['runner', 'replace "/run/tidegate/shell" /bin/bash', ['memory of the runner', 'environment of the runner']],
    ['descriptors', `exec 44</dev/null; replace '(f > 3)' '(f > 300)'; replace ' 2>&4 3>&- 4>&-' ' 2>&4'`, ['descriptors']],
    ['files', `insert --chdir --ro-bind '${directory}' '${directory}'`, ['file of the host']],
    ['environment', 'export SECRET_TOKEN=x', ['environment']],
    ['limits', `replace 'ulimit -u' 'ulimit -S -u'; replace 'ulimit -d' 'ulimit -S -d'`, ['limit -d']],
  ])('%s', async (name, change, expected) => {
    const sandbox = createBwrapSandbox({ directory, adoptWorkspace: true, bwrap: brokenBwrap(name, change) })
    const report = await sandbox.probe()
    expect(report.sound).toBe(false)
    expect(leaked(report)).toEqual(expect.arrayContaining(expected))
    const spec = { id: 'x', readOnly: [], environment: {}, limits: DEFAULT_SANDBOX_LIMITS, egress: null }
    const opening = await sandbox.open({ ...spec, workspace: stage.makeWorkspace() })
    expect(opening).toMatchObject({ kind: 'refused', because: 'layer_missing' })
    await sandbox.close()
  })
})

describe('what is missing is named, with how to get it', () => {
  test.each([
    ['not there', '/nonexistent/bwrap', 'bubblewrap', /apt install bubblewrap/],
    ['too old', brokenBwrap('old', 'exit 1'), 'user namespaces', /AppArmor/],
    ['something else', '/bin/true', 'bubblewrap', /apt install bubblewrap/],
  ])('a bubblewrap that is %s', async (_, bwrap, name, get) => {
    const sandbox = createBwrapSandbox({ directory, bwrap })
    const report = await sandbox.probe()
    expect(report.sound).toBe(false)
    expect(report.layers.find((layer) => layer.name === name)).toMatchObject({
      state: 'missing',
      required: true,
      get: expect.stringMatching(get),
    })
    await sandbox.close()
  })

  test('a control group that cannot be used is tolerated, and said', async () => {
    const sandbox = createBwrapSandbox({ directory, adoptWorkspace: true, cgroupParent: stage.directory })
    const report = await sandbox.probe()
    expect(report.layers.find(({ name }) => name === 'control group')).toMatchObject({ state: 'missing', required: false })
    expect(report.sound).toBe(true)
    await sandbox.close()
  })
})

test.each([{ directory: 'relative' }, { directory, uid: 0 }, { directory, gid: 0 }, { directory, uid: 1.5 }])(
  'options that cannot be meant: %j',
  (options) => {
    expect(() => createBwrapSandbox(options)).toThrow(expect.objectContaining({ code: 'sandbox_option' }))
    expect(() => createBwrapSandbox(options)).toThrow(SandboxBwrapError)
  },
)
