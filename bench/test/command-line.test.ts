import { describe, expect, test } from 'vitest'
import { BenchError } from '../src/error.ts'
import { parseCommand } from '../src/command-line.ts'

describe('the command line', () => {
  test('knows sensible defaults', () => {
    const command = parseCommand(['actions'])
    expect(command).toMatchObject({ kind: 'actions', json: false, load: { actions: 100_000, inFlight: 64, seconds: 10 } })
    expect(command.kind === 'actions' && [...command.only]).toEqual(['ours', 'floor', 'langgraph', 'dbos', 'restate'])
    expect(parseCommand(['memory'])).toEqual({ kind: 'memory', actions: 1_000_000 })
    expect(parseCommand(['verify', '--entries', '5'])).toEqual({ kind: 'verify', entries: 5 })
  })

  test('takes every option', () => {
    const command = parseCommand([
      'actions',
      '--json',
      '--actions',
      '7',
      '--in-flight',
      '3',
      '--seconds',
      '2',
      '--only',
      'floor, dbos',
    ])
    expect(command).toMatchObject({ kind: 'actions', json: true, load: { actions: 7, inFlight: 3, seconds: 2 } })
    expect(command.kind === 'actions' && [...command.only]).toEqual(['floor', 'dbos'])
  })

  test.each([[['--help']], [['-h']], [['help']], [['actions', '--help']]])('%j explains itself', (argv) => {
    expect(parseCommand(argv)).toEqual({ kind: 'help' })
  })

  test.each([
    [[]],
    [['fast']],
    [['actions', '--only', 'temporal']],
    [['actions', '--only', '']],
    [['actions', '--actions', '0']],
    [['actions', '--actions', '-1']],
    [['actions', '--actions', '1e6']],
    [['actions', '--in-flight', '10001']],
    [['actions', '--seconds', 'ten']],
    [['actions', '--entries', '1']],
    [['actions', 'more']],
    [['verify', '--entries', '']],
    [['memory', '--entries', '1']],
  ])('%j is refused', (argv) => {
    expect(() => parseCommand(argv)).toThrow(expect.objectContaining({ constructor: BenchError, code: 'arguments_invalid' }))
  })
})
