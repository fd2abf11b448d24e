import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli, NODE } from './cli-run.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'tidegate-projects-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('init', () => {
  const project = join(directory, 'notebook')

  test('writes a project that up accepts, and in which a run, an approval and an undo work', async () => {
    const made = await cli(['init', project, '--json'])
    expect(made.code).toBe(0)
    expect(JSON.parse(made.stdout).files).toContain('tidegate.yaml')
    expect((await cli(['init', project, '--json'])).code).toBe(1)

    // What a killed server leaves behind, with the id of a process that is alive and is another one.
    const stale = { url: 'http://127.0.0.1:1', pid: process.pid, version: '0' }
    mkdirSync(join(project, '.tidegate'))
    writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify(stale))
    expect((await cli(['runs', 'list', '--project', project, '--json'])).code).not.toBe(0)

    const main = fileURLToPath(new URL('../bin/tidegate.js', import.meta.url))
    const up = spawn(NODE, [main, 'up', '--project', project, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise<number | null>((resolve) => {
      up.once('close', (code) => resolve(code))
    })
    try {
      const state = join(project, '.tidegate', 'server.json')
      for (let i = 0; i < 200 && readFileSync(state, 'utf8').includes('127.0.0.1:1"'); i++) await pause(50)
      const at = async (...args: string[]) => {
        const run = await cli([...args, '--project', project, '--json'])
        return { code: run.code, document: JSON.parse(run.stdout) }
      }
      expect(await at('up')).toMatchObject({ code: 1, document: { code: 'server_running' } })
      expect(await at('run', 'take-note', 'noteId=first', 'text=Hello', '--as', 'alex')).toMatchObject({ code: 0 })
      const erased = await at('run', 'erase-note', 'noteId=first', '--as', 'alex')
      expect(erased.code).toBe(5)
      const [approval] = erased.document.detail.approvals
      expect(await at('approvals', 'approve', approval.id, '--as', 'alex', '--yes')).toMatchObject({ code: 4 })
      expect(await at('approvals', 'approve', approval.id, '--as', 'sam', '--yes')).toMatchObject({
        code: 0,
        document: { runState: 'completed' },
      })
      expect(JSON.parse(readFileSync(join(project, 'notes', 'first.json'), 'utf8')).text).toBeNull()
      expect(await at('undo', erased.document.run, '--as', 'alex', '--why', 'needed after all')).toMatchObject({ code: 0 })
      expect(JSON.parse(readFileSync(join(project, 'notes', 'first.json'), 'utf8')).text).toBe('Hello')
      expect(await at('ledger', 'verify')).toMatchObject({ code: 0, document: { verified: true } })
      expect(await at('doctor')).toMatchObject({ code: 0, document: { healthy: true } })
    } finally {
      up.kill('SIGINT')
    }
    expect(await ended).toBe(0)
    expect(existsSync(join(project, '.tidegate', 'server.json'))).toBe(false)
  })

  test('up says what is wrong with a project, and exits', async () => {
    const broken = join(directory, 'broken')
    cpSync(fileURLToPath(new URL('../template', import.meta.url)), broken, { recursive: true })
    writeFileSync(join(broken, 'tidegate.yaml'), 'name: broken\nnonsense: true\n')
    const run = await cli(['up', '--project', broken])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('nonsense')
  })
})

describe('demo', () => {
  const project = join(directory, 'examples', 'support-desk')

  beforeAll(async () => {
    mkdirSync(join(directory, 'examples'))
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction')
    cpSync(join(ROOT, 'examples', 'support-desk'), project, {
      recursive: true,
      filter: (source) => !source.endsWith('.tidegate'),
    })
    const file = join(project, 'tidegate.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${await freePort()}`))
  })

  test('--once --json is one document that keeps every promise', async () => {
    const { code, stdout, stderr } = await cli(['demo', '--once', '--json', '--project', project])
    expect(code, stderr).toBe(0)
    const { runs, blocked, undone, stop, ledger, duplicates } = JSON.parse(stdout)
    const of = (ticket: string) => runs.find((run: { ticket: string }) => run.ticket === ticket)
    expect(of('t-1001')).toMatchObject({ workflow: 'support-billing', state: 'completed', failure: null })
    const refund = of('t-1003').effects.find(({ operation }: { operation: string }) => operation === 'desk.refund.create')
    expect(refund).toMatchObject({ state: 'done', approval: of('t-1003').approvals[0].id })
    expect(of('t-1003').approvals).toMatchObject([{ state: 'consumed' }])
    // The attacks: a poisoned attachment, an over-broad export, "close everything". None of them changed anything.
    for (const ticket of ['t-1005', 't-1006', 't-1007']) {
      expect(of(ticket).effects).toEqual([])
      expect(blocked.filter(({ run }: { run: string }) => run === of(ticket).id)).not.toEqual([])
    }
    expect(of('t-1009').state).toBe('undone')
    expect(undone).toMatchObject([{ state: 'completed' }])
    expect(stop.effectsAfter).toBe(0)
    expect(stop.acknowledgedMs).toBeGreaterThan(0)
    expect(stop.runsInFlight).toBeGreaterThan(0)
    expect(stop.resumed).toBe(stop.runsInFlight)
    expect(ledger.verified).toBe(true)
    expect(ledger.checkpoint).toContain(ledger.root)
    expect(duplicates).toEqual([{ event: 'evt-t-1001', run: of('t-1001').id }])
    expect(existsSync(join(project, '.tidegate', 'server.json'))).toBe(false)
  })

  test('without --once it leaves the refund to a person, and stays until it is interrupted', async () => {
    const { code, stdout } = await cli(['demo', '--project', project], {
      interruptAt: { stream: 'stdout', text: 'Ctrl-C ends it' },
    })
    expect(code).toBe(0)
    expect(stdout).toContain('Waits for a person')
    expect(stdout).toMatch(/npx tidegate approvals approve \S+ --as mei/)
    expect(existsSync(join(project, '.tidegate', 'server.json'))).toBe(false)
  })
})
