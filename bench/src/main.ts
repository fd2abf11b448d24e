import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allReports, measureActions } from './actions.ts'
import { runThrough } from './child.ts'
import { type BenchCommand, parseCommand, USAGE } from './command-line.ts'
import { BenchError } from './error.ts'
import { renderExecTable } from './exec/exec-table.ts'
import { measureExec } from './exec/measure-exec.ts'
import { measureMcp } from './mcp/measure-mcp.ts'
import { renderMcpTable } from './mcp/mcp-table.ts'
import { isSound, measurePolicies } from './policy/compare.ts'
import { renderPolicyTable } from './policy/policy-table.ts'
import { renderTable } from './table.ts'

const PASS_THROUGH_DEADLINE_MS = 3_600_000

/** Runs one benchmark and resolves with the exit code: 0, or 1 if a contender broke, or 2 if it was asked wrongly. */
async function main(argv: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    return await runCommand(parseCommand(argv), signal)
  } catch (cause) {
    if (!(cause instanceof BenchError)) throw cause
    console.error(`${cause.message} (${cause.code})`)
    return cause.code === 'arguments_invalid' ? 2 : 1
  }
}

async function runCommand(command: BenchCommand, signal: AbortSignal): Promise<number> {
  switch (command.kind) {
    case 'help':
      console.log(USAGE)
      return 0
    case 'memory':
      return runOwn('ours.ts', ['--mode', 'memory', '--actions', String(command.actions)], signal)
    case 'verify':
      return runOwn('verify.ts', ['--entries', String(command.entries)], signal)
    case 'policy': {
      const { sizes, only, milliseconds, json } = command
      const result = await measurePolicies({ sizes, only, milliseconds, signal })
      console.log(json ? JSON.stringify(result, null, 2) : renderPolicyTable(result))
      return isSound(result) ? 0 : 1
    }
    case 'exec': {
      const { json, commands, pauseMs } = command
      const result = await measureExec({ commands, pauseMs, signal })
      console.log(json ? JSON.stringify(result, null, 2) : renderExecTable(result))
      return result.rows.some((row) => 'failed' in row) ? 1 : 0
    }
    case 'mcp': {
      const { json, calls, seconds, rounds, inFlight } = command
      const result = await measureMcp({ calls, seconds, rounds, inFlight, signal })
      console.log(json ? JSON.stringify(result, null, 2) : renderMcpTable(result))
      return result.rows.some(({ failed }) => failed !== undefined) ? 1 : 0
    }
    case 'actions': {
      const result = await measureActions({ load: command.load, only: command.only, signal })
      console.log(command.json ? JSON.stringify(result, null, 2) : renderTable(result))
      return allReports(result).some((report) => 'failed' in report) ? 1 : 0
    }
  }
}

function runOwn(program: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const path = fileURLToPath(new URL(`./${program}`, import.meta.url))
  if (!existsSync(path))
    throw new BenchError('contender_missing', `bench/src/${program} does not exist, so there is nothing to measure`)
  const command = { name: program, program: process.execPath, args: [path, ...args] }
  return runThrough(command, { deadlineMs: PASS_THROUGH_DEADLINE_MS, signal })
}

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())
process.exitCode = await main(process.argv.slice(2), interrupted.signal)
