import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { EXIT } from '../src/exit-code.ts'
import { createProgram, everyCommand } from '../src/program.ts'
import { CLI_ERROR_CODES, CliError } from '../src/error.ts'
import { cli, NODE } from './cli-run.ts'

const commands = everyCommand(createProgram(new AbortController().signal, () => undefined))

describe('help', () => {
  test('names every command, the exit codes, and examples that exist', async () => {
    const { code, stdout, stderr } = await cli(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const name of [
      'up',
      'demo',
      'run',
      'runs',
      'approvals',
      'stop',
      'lift',
      'undo',
      'queue',
      'ledger',
      'tools',
      'workflows',
      'doctor',
      'init',
      'completion',
      'version',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    }
    expect(stdout).toContain('5 approval pending')
    const examples = stdout.matchAll(/^ {2}tidegate ([a-z]+)(?: ([a-z]+))?/gm).toArray()
    expect(examples.length).toBeGreaterThan(5)
    for (const [, first] of examples) expect(commands.map((command) => command.name())).toContain(first)
  })

  test('every command has a description', () => {
    expect(commands.filter((command) => command.description() === '')).toEqual([])
    expect(commands.length).toBeGreaterThan(25)
  })

  test('no command at all is help, and not an error', async () => {
    const { code, stdout } = await cli([])
    expect([code, stdout.startsWith('Usage: tidegate')]).toEqual([0, true])
  })

  test('comes at once, without loading what commands need', () => {
    const times = Array.from({ length: 5 }, () => {
      const startedMs = performance.now()
      execFileSync(NODE, [fileURLToPath(new URL('../bin/tidegate.js', import.meta.url)), '--help'])
      return performance.now() - startedMs
    })
    // The fastest of five: what else runs on this machine is not what is measured.
    expect(Math.min(...times)).toBeLessThan(150)
  })
})

describe('what is not understood', () => {
  const cases: readonly (readonly string[])[] = [
    ['nonsense'],
    ['runs', 'nonsense'],
    ['--nonsense'],
    ['runs', 'show'],
    ['undo', 'x'],
    ['stop', '--scope', 'global'],
    ['version', 'extra'],
  ]
  test.each(cases.map((args) => [args]))('%j exits with 2 and says so once', async (args) => {
    const plain = await cli(args)
    expect([plain.code, plain.stdout]).toEqual([2, ''])
    expect(plain.stderr).toMatch(/^tidegate: /)
    const json = await cli([...args, '--json'])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'usage_invalid' })
  })

  test('says which word is the wrong one', async () => {
    expect((await cli(['aprovals', 'list'])).stderr).toContain('"aprovals" is no command here.')
    expect((await cli(['runs', 'list', 'extra'])).stderr).toContain('"extra" is no command here.')
  })

  test.skipIf(process.platform !== 'linux')('init ends where no directory can be made', async () => {
    const run = await cli(['init', '/proc/none/project', '--json'])
    expect([run.code, JSON.parse(run.stdout).code]).toEqual([1, 'file_unreadable'])
  })

  test('init does not take a file for a directory', async () => {
    const run = await cli(['init', process.execPath, '--json'])
    expect([run.code, JSON.parse(run.stdout).code]).toEqual([1, 'directory_not_empty'])
  })

  test('outside a project', async () => {
    const run = await cli(['runs', 'list', '--json'], { cwd: '/' })
    expect([run.code, JSON.parse(run.stdout).code]).toEqual([3, 'project_not_found'])
    const demo = await cli(['up', '--project', '/none', '--json'])
    expect([demo.code, JSON.parse(demo.stdout).code]).toEqual([3, 'project_not_found'])
  })
})

test('the version is one line, and one document', async () => {
  const [flag, command, json] = await Promise.all([cli(['--version']), cli(['version']), cli(['version', '--json'])])
  expect(flag.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(command.stdout).toContain(`tidegate ${flag.stdout.trim()}`)
  expect(JSON.parse(json.stdout).version).toBe(flag.stdout.trim())
})

describe('completion', () => {
  test('bash completes commands, subcommands and options', async () => {
    const { stdout } = await cli(['completion', 'bash'])
    const complete = (words: readonly string[]): string => {
      const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tidegate; echo "\${COMPREPLY[*]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim()
    }
    expect(complete(['tidegate', 'appr'])).toBe('approvals')
    expect(complete(['tidegate', 'runs', 'sh'])).toBe('show')
    expect(complete(['tidegate', 'stop', '--sco'])).toBe('--scope')
    expect(complete(['tidegate', 'stop', '--js'])).toBe('--json')
  })

  test('zsh and fish get theirs, others are told', async () => {
    expect((await cli(['completion', 'zsh'])).stdout).toContain('bashcompinit')
    expect((await cli(['completion', 'fish'])).stdout).toContain('complete -c tidegate')
    expect((await cli(['completion', 'tcsh'])).code).toBe(2)
  })
})

test('every code has an exit code that is documented', () => {
  for (const code of CLI_ERROR_CODES) expect([1, 2, 3, 4, 6, 130]).toContain(new CliError(code, '').exit)
})

describe('the guide', () => {
  const guide = readFileSync(fileURLToPath(new URL('../../../docs/guide/cli.md', import.meta.url)), 'utf8')

  test('explains every exit code, and no other', () => {
    const explained = guide
      .matchAll(/^\| (\d+) \| \w/gm)
      .map(([, code]) => Number(code))
      .toArray()
    expect(explained).toEqual(Object.values(EXIT))
  })

  test('names every command, and none that is not there', () => {
    const paths = everyPath(createProgram(new AbortController().signal, () => undefined))
    const named = guide
      .matchAll(/^\| (`.*?) \|/gm)
      .flatMap(([, cell = '']) => cell.matchAll(/`([^`]+)`/g).map(([, text = '']) => text))
      .toArray()
    for (const path of paths)
      expect(
        named.some((text) => text === path || text.startsWith(`${path} `)),
        path,
      ).toBe(true)
  })

  test('names every global option', () => {
    const program = createProgram(new AbortController().signal, () => undefined)
    for (const { long } of program.options) if (long !== '--version') expect(guide).toContain(`\`${long}`)
  })
})

/** Every command that does something, as it is typed after `tidegate`. */
function everyPath(command: ReturnType<typeof createProgram>, before = ''): readonly string[] {
  return command.commands.flatMap((each) => {
    const path = `${before}${each.name()}`
    return each.commands.length === 0 ? [path] : everyPath(each as typeof command, `${path} `)
  })
}
