import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxSession } from '@tidegate/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStage, ended, say, text } from './stage.ts'

const stage = createStage()
let session: SandboxSession
beforeAll(async () => {
  session = await stage.open()
})
afterAll(() => stage.close())

describe('how a command ends is what a shell would say', () => {
  test.each([
    ['true', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -9 $$', 137],
    ['kill -TERM $$', 143],
    ['no-such-program', 127],
    ['if', 2],
    ['false; true', 0],
    ['set -e; false; echo never', 1],
    ['exec false', 1],
  ])('%s -> %i', async (command, code) => {
    expect((await say(session, command)).code).toBe(code)
  })

  test('output and errors are apart, and say nothing of ours', async () => {
    expect(await say(session, 'echo out; echo err >&2; kill -SEGV $$')).toEqual({ code: 139, out: 'out\n', err: 'err\n' })
  })

  test('/dev/stdout and /dev/stderr can be opened', async () => {
    expect(await say(session, 'echo a >/dev/stdout; echo b >/dev/stderr; cat <(echo c)')).toEqual({
      code: 0,
      out: 'a\nc\n',
      err: 'b\n',
    })
  })

  test('one command does not change the shell of the next', async () => {
    await say(session, 'x=1; cd /tmp; set -e; ulimit -n 10; exec >/dev/null 2>&1; true() { false; }; export -f true')
    expect(await say(session, `echo "\${x-unset} $PWD $(ulimit -n) $-"; true`)).toEqual({
      code: 0,
      out: 'unset /workspace 4096 hBc\n',
      err: '',
    })
  })

  test('files of the workspace and temporary files stay for the next command', async () => {
    await say(session, 'echo a >a; echo b >/tmp/b; echo c >/dev/shm/c')
    expect((await say(session, 'cat a /tmp/b /dev/shm/c')).out).toBe('a\nb\nc\n')
  })

  test('commands wait for each other', async () => {
    const all = await Promise.all(
      ['sleep 0.05; echo 1 >>order', 'echo 2 >>order', 'cat order'].map((command) => say(session, command)),
    )
    expect(all[2]?.out).toBe('1\n2\n')
  })
})

describe('any text is a command', () => {
  test('non-ASCII', async () => {
    expect((await say(session, 'echo "Grüße, 世界 🎉" | tee -- "Ärger 🎉"')).out).toBe('Grüße, 世界 🎉\n')
    expect((await say(session, ['cat', 'Ärger 🎉'])).out).toBe('Grüße, 世界 🎉\n')
  })

  test('words are taken as they are', async () => {
    const words = ["it's", '$(id)', '`id`', '', '-n', '*', 'a\nb', '\\', '"', '🎉', "'\\''"]
    expect((await say(session, ['printf', '<%s>', ...words])).out).toBe(words.map((word) => `<${word}>`).join(''))
  })

  test('a program whose name looks like an option is not one', async () => {
    expect((await say(session, ['-a', 'x'])).code).toBe(127)
  })

  test('one megabyte', async () => {
    const word = 'ü'.repeat(524_288)
    expect((await say(session, `echo ${word} | wc -c; echo ${word.length} behind`)).out).toBe('1048577\n524288 behind\n')
  })

  test('an argument that the kernel does not take is an error of the command', async () => {
    expect(await say(session, ['/bin/echo', 'x'.repeat(200_000)])).toMatchObject({ code: 126, out: '' })
  })

  test('five thousand arguments', async () => {
    expect(
      (await say(session, ['bash', '-c', 'echo $#', 'bash', ...Array.from({ length: 5_000 }, () => 'some argument')])).out,
    ).toBe('5000\n')
  })

  test.each([
    ['empty', '', /empty/],
    ['no words', [], /empty/],
    ['U+0000', 'echo \0', /U\+0000/],
    ['half a pair', 'echo \ud800', /surrogate/],
    ['too long', 'x'.repeat(4_194_305), /longer/],
  ] as const)('%s is refused', async (_, command, message) => {
    expect(await session.run({ command })).toMatchObject({
      kind: 'refused',
      because: 'command',
      message: expect.stringMatching(message),
    })
  })
})

describe('input, output and place', () => {
  test('there is no input unless it is given', async () => {
    expect((await say(session, 'cat; echo end')).out).toBe('end\n')
  })

  test('input may be anything, and is gone afterwards', async () => {
    const stdin = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256))
    const result = ended(await session.run({ command: 'cat', stdin }))
    expect(Buffer.compare(Buffer.from(result.stdout), stdin)).toBe(0)
    expect((await say(session, 'cat; ls /run/tidegate')).out).toBe('shell\n')
  })

  test('output need not be text', async () => {
    const result = ended(await session.run({ command: "printf '\\377\\376\\000\\303'" }))
    expect([...result.stdout]).toEqual([255, 254, 0, 195])
  })

  test('output arrives while the command runs', async () => {
    const chunks: string[] = []
    await session.run({
      command: 'echo a; sleep 0.1; echo b >&2',
      onOutput: (stream, bytes) => chunks.push(`${stream} ${text(bytes)}`),
    })
    expect(chunks).toEqual(['stdout a\n', 'stderr b\n'])
  })

  test('starts where it is told, or not at all', async () => {
    await say(session, "mkdir -p 'a b/ü'")
    expect((await say(session, 'pwd', { cwd: 'a b/ü' })).out).toBe('/workspace/a b/ü\n')
    expect((await say(session, 'pwd', { cwd: '/usr' })).out).toBe('/usr\n')
    expect(await say(session, 'echo ran', { cwd: 'nowhere' })).toMatchObject({ code: 125, out: '' })
  })
})

describe('the specification', () => {
  test('the environment is what was asked for', async () => {
    const other = await stage.open({ environment: { GREETING: 'hällo\nworld', PATH: '/usr/bin' } })
    const lines = (await say(other, 'env -0')).out.split('\0').sort()
    expect(lines).toEqual(
      [
        '',
        'GREETING=hällo\nworld',
        'HOME=/workspace',
        'LANG=C.UTF-8',
        'LOGNAME=agent',
        'OLDPWD=/workspace',
        'PATH=/usr/bin',
        'PWD=/workspace',
        'SHELL=/bin/bash',
        'SHLVL=2',
        'TERM=dumb',
        'TMPDIR=/tmp',
        'USER=agent',
        '_=/usr/bin/env',
      ].sort(),
    )
    await other.close()
  })

  test.each([
    ['an id', { id: 'a b' }],
    ['a relative workspace', { workspace: 'here' }],
    ['the root', { workspace: '/' }],
    ['a workspace with dots', { workspace: '/tmp/../etc' }],
    ['a variable that steers the shell', { environment: { BASH_ENV: '/workspace/x' } }],
    ['a variable that steers the loader', { environment: { LD_PRELOAD: '/workspace/x.so' } }],
    ['a function', { environment: { 'BASH_FUNC_x%%': '() { :; }' } }],
    ['a value with U+0000', { environment: { A: 'a\0b' } }],
    ['a mount over what is ours', { readOnly: [{ source: '/usr', target: '/run/tidegate/x' }] }],
    ['no time', { limits: { wallMs: 0 } }],
    ['no memory', { limits: { memoryBytes: 1 } }],
  ])('%s is refused', async (_, spec) => {
    await expect(stage.open(spec)).rejects.toThrow()
  })

  test.each([
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a link', (path: string) => symlinkSync(stage.makeWorkspace(), path)],
    ['nothing', () => {}],
  ])('a workspace that is %s is refused', async (name, make) => {
    const workspace = join(stage.directory, `no-workspace-${name.replace(' ', '-')}`)
    make(workspace)
    const limits = { wallMs: 1_000 }
    await expect(stage.open({ workspace, limits })).rejects.toThrow(/workspace/)
  })

  test('extra mounts can be read and not changed, also inside the workspace', async () => {
    const workspace = stage.makeWorkspace()
    mkdirSync(join(workspace, '.git'))
    writeFileSync(join(workspace, '.git', 'config'), 'a')
    mkdirSync(join(stage.directory, 'tools'))
    writeFileSync(join(stage.directory, 'tools', 'tool'), 'tool')
    chmodSync(join(stage.directory, 'tools'), 0o755)
    chmodSync(join(stage.directory, 'tools', 'tool'), 0o644)
    const readOnly = [
      { source: join(workspace, '.git'), target: '/workspace/.git' },
      { source: join(stage.directory, 'tools'), target: '/opt/tools' },
    ]
    const other = await stage.open({ workspace, readOnly })
    expect((await say(other, 'cat .git/config /opt/tools/tool')).out).toBe('atool')
    expect((await say(other, 'echo b >.git/config')).code).not.toBe(0)
    expect((await say(other, 'rm -rf .git; mv .git x; echo b >/opt/tools/tool')).code).not.toBe(0)
    expect(readFileSync(join(workspace, '.git', 'config'), 'utf8')).toBe('a')
    await other.close()
  })

  test('a session may be one that only looks', async () => {
    const workspace = stage.makeWorkspace()
    writeFileSync(join(workspace, 'a'), 'a')
    const other = await stage.open({ workspace, isReadOnly: true })
    expect((await say(other, 'cat a; echo t >/tmp/t && cat /tmp/t')).out).toBe('at\n')
    expect((await say(other, 'echo b >a; touch b; rm a; chmod 777 .')).code).toBe(1)
    expect([readFileSync(join(workspace, 'a'), 'utf8'), existsSync(join(workspace, 'b'))]).toEqual(['a', false])
    await other.close()
  })

  test('a closed session runs nothing, and leaves nothing', async () => {
    const workspace = stage.makeWorkspace()
    const other = await stage.open({ workspace })
    await other.close()
    expect(await other.run({ command: 'touch x' })).toMatchObject({ kind: 'refused', because: 'closed' })
    expect(existsSync(join(workspace, 'x'))).toBe(false)
  })
})
