import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  applyConnection,
  CONNECT_ERROR_CODES,
  ConnectError,
  type ConnectionStore,
  type Connected,
  type ConnectRequest,
  disconnect,
  type Disconnected,
  type HostAdapter,
  openConnections,
  planConnection,
} from '../src/index.ts'
import { createGround, fakeHost, type Ground } from './fake-host.ts'

const hasNamespaces = spawnSync('unshare', ['-rm', 'true']).status === 0
let ground: Ground
let file: string
beforeEach(() => {
  ground = createGround()
  file = join(ground.home, 'settings.json')
})
afterEach(() => ground.clean())

const store = () => openConnections(ground.state)
const MINE = '{\n  // mine\n  "a": 1,\n}\n'

async function connect(over: Partial<ConnectRequest> = {}, adapter: HostAdapter = fakeHost(file)): Promise<Connected> {
  return applyConnection(await planConnection(adapter, ground.request(over)), store(), { nowMs: 1_000 })
}

function undo(force = false, adapter: HostAdapter = fakeHost(file)): Promise<Disconnected> {
  return disconnect(adapter, store(), 'fake', { force })
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConnectError)
  expect(CONNECT_ERROR_CODES).toContain((error as ConnectError).code)
  return (error as ConnectError).code
}

function write(text: string): void {
  writeFileSync(file, text)
  chmodSync(file, 0o640)
  utimesSync(file, new Date(5_000), new Date(7_000))
}

describe('connecting', () => {
  test('changes the file and keeps its bits; disconnecting gives bytes, bits and time back', async () => {
    write(MINE)
    const { changed, record } = await connect()
    expect([changed, record.state, readFileSync(file, 'utf8')]).toEqual([
      true,
      'connected',
      expect.stringContaining('"tidegate"'),
    ])
    expect([statSync(file).mode & 0o777, readFileSync(file, 'utf8').includes('// mine')]).toEqual([0o640, true])
    expect((await undo()).files).toEqual([{ file, outcome: 'restored' }])
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777, statSync(file).mtimeMs]).toEqual([MINE, 0o640, 7_000])
    expect(readdirSync(ground.state)).toEqual([])
  })

  test('what was not there is not there afterwards, folders too', async () => {
    const deep = join(ground.home, 'x', 'y', 'settings.json')
    await connect({}, fakeHost(deep))
    expect(statSync(deep).mode & 0o777).toBe(0o600)
    expect((await undo(false, fakeHost(deep))).files).toEqual([{ file: deep, outcome: 'deleted' }])
    expect(readdirSync(ground.home)).toEqual([])
  })

  test('a folder that we made stays when somebody else uses it', async () => {
    const deep = join(ground.home, 'x', 'settings.json')
    await connect({}, fakeHost(deep))
    writeFileSync(join(ground.home, 'x', 'theirs'), '')
    await undo(false, fakeHost(deep))
    expect(readdirSync(join(ground.home, 'x'))).toEqual(['theirs'])
  })

  test('twice is once', async () => {
    write(MINE)
    await connect()
    const first = readFileSync(file)
    const { changed } = await connect()
    expect([changed, readFileSync(file)]).toEqual([false, first])
    await undo()
    expect(readFileSync(file, 'utf8')).toBe(MINE)
  })

  test('from observing to enforcing, only the mode changes, and the first backup stays', async () => {
    write(MINE)
    await connect()
    const observed = readFileSync(file, 'utf8')
    await connect({ mode: 'enforce' })
    expect(readFileSync(file, 'utf8')).toBe(observed.replace('observe', 'enforce'))
    await undo()
    expect(readFileSync(file, 'utf8')).toBe(MINE)
  })

  test('edited between two connections: their version without us comes back', async () => {
    write(MINE)
    await connect()
    writeFileSync(file, readFileSync(file, 'utf8').replace('"a": 1', '"a": 2'))
    await connect({ mode: 'enforce' })
    await undo()
    expect(readFileSync(file, 'utf8')).toBe(MINE.replace('"a": 1', '"a": 2'))
  })

  test('a symbolic link stays one, and the file behind it is changed', async () => {
    const real = join(ground.directory, 'dotfiles.json')
    writeFileSync(real, MINE)
    symlinkSync(real, file)
    await connect()
    expect([readlinkSync(file), readFileSync(real, 'utf8').includes('tidegate')]).toEqual([real, true])
    await undo()
    expect([readlinkSync(file), readFileSync(real, 'utf8')]).toEqual([real, MINE])
  })
})

describe('refused, with nothing changed', () => {
  const refusals: readonly (readonly [string, string, () => void, RegExp])[] = [
    ['a read-only file', 'file_read_only', () => { write(MINE); chmodSync(file, 0o440) }, /chmod u\+w/],
    ['a folder in its place', 'file_unsupported', () => mkdirSync(file), /is not a file/],
    ['a link to nowhere', 'file_unsupported', () => symlinkSync(join(ground.home, 'none'), file), /leads nowhere/],
    ['a second name', 'file_unsupported', () => { write(MINE); linkSync(file, join(ground.home, 'other')) }, /second name/],
    ['what is no configuration', 'configuration_unreadable', () => write('{"a": '), /ends too early at 1:7/],
    ['a file in the place of its folder', 'file_unwritable', () => { writeFileSync(join(ground.home, 'x'), ''); file = join(ground.home, 'x', 'settings.json') }, /cannot be written/],
  ] // biome-ignore format: one refusal on each line
  test.each(refusals)('%s', async (_, code, arrange, message) => {
    arrange()
    const before = existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined
    const attempt = connect()
    await expect(attempt).rejects.toThrow(message)
    expect(await codeOf(attempt)).toBe(code)
    if (before !== undefined) expect(readFileSync(file, 'utf8')).toBe(before)
    expect(store().list()).toEqual([])
  })

  test('a file that somebody changes between planning and writing', async () => {
    write(MINE)
    const plan = await planConnection(fakeHost(file), ground.request())
    writeFileSync(file, '{"theirs": true}')
    expect(await codeOf(applyConnection(plan, store(), { nowMs: 1 }))).toBe('file_changed')
    expect(readFileSync(file, 'utf8')).toBe('{"theirs": true}')
  })

  test('a second file that is no longer what was planned from: the first one is not even touched', async () => {
    write(MINE)
    const other = join(ground.home, 'other.json')
    const plan = await planConnection(fakeHost(file), ground.request())
    const [edit] = plan.edits
    if (edit === undefined) expect.unreachable()
    const two = { ...plan, edits: [edit, { ...edit, file: other, before: undefined }] }
    writeFileSync(other, 'theirs')
    const { ino } = statSync(file)
    expect(await codeOf(applyConnection(two, store(), { nowMs: 1 }))).toBe('file_changed')
    expect([statSync(file).ino, readFileSync(other, 'utf8')]).toEqual([ino, 'theirs'])
  })

  test('a file that somebody changes in the last moment', async () => {
    write(MINE)
    const late: ConnectionStore = {
      ...store(),
      write: (record) => {
        store().write(record)
        writeFileSync(file, '{"theirs": true}')
      },
    }
    const plan = await planConnection(fakeHost(file), ground.request())
    expect(await codeOf(applyConnection(plan, late, { nowMs: 1 }))).toBe('file_changed')
    expect([readFileSync(file, 'utf8'), store().list()]).toEqual(['{"theirs": true}', []])
  })

  test('while somebody else is at it; the lock of a process that is gone does not count', async () => {
    write(MINE)
    mkdirSync(join(ground.state, 'fake'), { recursive: true })
    writeFileSync(join(ground.state, 'fake', 'lock'), String(process.pid))
    expect(await codeOf(connect())).toBe('locked')
    writeFileSync(join(ground.state, 'fake', 'lock'), '999999999')
    expect((await connect()).changed).toBe(true)
  })

  test('another kind under the same name, or by another file', async () => {
    write(MINE)
    await connect()
    expect(await codeOf(connect({}, { ...fakeHost(file), kind: 'openclaw' }))).toBe('connected_otherwise')
    expect(await codeOf(connect({}, fakeHost(join(ground.home, 'other.json'))))).toBe('connected_otherwise')
  })

  test('a failed check puts everything back, time too', async () => {
    write(MINE)
    const adapter = fakeHost(file, () => [{ name: 'door', state: 'wrong', detail: 'nobody answers.', cure: 'Start it.' }])
    const attempt = connect({}, adapter)
    await expect(attempt).rejects.toThrow('door: nobody answers. Everything was put back. Start it.')
    expect(await codeOf(attempt)).toBe('check_failed')
    expect([readFileSync(file, 'utf8'), statSync(file).mtimeMs, store().list()]).toEqual([MINE, 7_000, []])
  })

  test('a failed check of a second connection leaves the first one', async () => {
    write(MINE)
    await connect()
    const observed = readFileSync(file, 'utf8')
    const failing = fakeHost(file, () => Promise.reject(new Error('broken')))
    await expect(connect({ mode: 'enforce' }, failing)).rejects.toThrow('broken')
    expect([readFileSync(file, 'utf8'), store().read('fake')?.mode]).toEqual([observed, 'observe'])
  })

  test.skipIf(!hasNamespaces)('a full disk: the old file, the record of before, and no rest of the new one', () => {
    const disk = join(ground.directory, 'disk')
    mkdirSync(disk)
    // A file system of its own, of 64 KiB, in a namespace of its own.
    const script = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" "$3" "$1"'
    const args = [
      '-rm',
      'sh',
      '-c',
      script,
      'sh',
      disk,
      process.execPath,
      fileURLToPath(new URL('full-disk.ts', import.meta.url)),
    ]
    expect(JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))).toEqual({
      code: 'disk_full',
      same: true,
      files: ['filler', 'settings.json'],
      records: 0,
    })
  })
})

describe('disconnecting what somebody has changed since', () => {
  test('takes out our parts only, and says so', async () => {
    write(MINE)
    await connect()
    writeFileSync(file, readFileSync(file, 'utf8').replace('"a": 1', '"a": 2'))
    expect((await undo()).files).toEqual([{ file, outcome: 'cleaned', removed: ['tidegate'] }])
    expect(readFileSync(file, 'utf8')).toBe(MINE.replace('"a": 1', '"a": 2'))
  })

  test('refuses what cannot be told apart, with what differs; by force it is overwritten and kept', async () => {
    write(MINE)
    await connect()
    writeFileSync(file, 'not json at all')
    const attempt = undo()
    await expect(attempt).rejects.toThrow(/- {3}"a": 1,\n.*\+ not json at all/s)
    expect(await codeOf(attempt)).toBe('file_edited')
    expect(readFileSync(file, 'utf8')).toBe('not json at all')
    const keptAt = `${file}.before-disconnect`
    expect((await undo(true)).files).toEqual([{ file, outcome: 'overwritten', keptAt }])
    expect([readFileSync(file, 'utf8'), readFileSync(keptAt, 'utf8')]).toEqual([MINE, 'not json at all'])
  })

  test('what they have put back themselves is left alone; what they removed is put back', async () => {
    write(MINE)
    await connect()
    write(MINE)
    expect((await undo()).files).toEqual([{ file, outcome: 'untouched' }])
  })

  test('a backup that is broken is not put back', async () => {
    write(MINE)
    const { record } = await connect()
    const connected = readFileSync(file, 'utf8')
    writeFileSync(join(ground.state, 'fake', 'backup', record.files[0]?.backup ?? ''), 'forged')
    expect(await codeOf(undo())).toBe('backup_broken')
    expect(readFileSync(file, 'utf8')).toBe(connected)
  })

  test('not connected, and a record that is not ours', async () => {
    expect(await codeOf(undo())).toBe('not_connected')
    expect(existsSync(join(ground.state, 'fake'))).toBe(false)
    mkdirSync(join(ground.state, 'fake'), { recursive: true })
    writeFileSync(join(ground.state, 'fake', 'connection.json'), '{"v": 2}')
    expect(await codeOf(undo())).toBe('record_broken')
    writeFileSync(join(ground.state, 'fake', 'connection.json'), '{"v": ')
    expect(await codeOf(undo())).toBe('record_broken')
  })

  test('after a crash in the middle of connecting', async () => {
    write(MINE)
    const adapter = fakeHost(file)
    const plan = await planConnection(adapter, ground.request())
    // The record is written, the file is not: as if we had died in between.
    const crashing: HostAdapter = { ...adapter, check: () => Promise.reject(new Error('crash')) }
    const { record } = await applyConnection(plan, store(), { nowMs: 1 })
    writeFileSync(file, MINE)
    store().write({ ...record, state: 'applying' })
    expect((await disconnect(crashing, store(), 'fake', { force: false })).files).toEqual([{ file, outcome: 'untouched' }])
  })

  test('a record that was lost: connecting again keeps what is not ours as the state before', async () => {
    write(MINE)
    await connect()
    store().forget('fake')
    await connect({ mode: 'enforce' })
    await undo()
    expect(readFileSync(file, 'utf8')).toBe(MINE)
  })
})
