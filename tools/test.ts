import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// `npm test`: everything that a change has to pass. Brings what is missing from the system when it may, runs all tests, then the
// simulator over a few seeds. The last line is `N passed, N failed`; the exit code is 1 when anything failed or nothing ran.

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SEEDS = 100
const TESTS_TIMEOUT_MS = 25 * 60_000
const SIMULATION_TIMEOUT_MS = 300_000
const INSTALL_TIMEOUT_MS = 5 * 60_000

/** Something that tests need from the system, and how Debian calls it. */
interface Need {
  readonly what: string
  readonly neededBy: string
  readonly isThere: () => boolean
  readonly packages: readonly string[]
}

const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']

const NEEDS: readonly Need[] = [
  {
    what: 'bubblewrap',
    neededBy: 'the tests of the sandbox and of commands: adapters/sandbox-bwrap, adapters/tools-exec, e2e/test/hosts.test.ts',
    isThere: () => spawnSync('bwrap', ['--version']).status === 0,
    packages: ['bubblewrap'],
  },
  {
    what: 'Go and its checksum database',
    neededBy: 'e2e/test/go-verify.test.ts, in which code that is not ours verifies our ledger',
    isThere: () => spawnSync('go', ['version']).status === 0 && existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'),
    packages: ['golang-go', 'golang-golang-x-mod-dev'],
  },
  {
    what: 'libfaketime',
    neededBy: 'e2e/test/clock.test.ts, in which the clock of a real server jumps',
    isThere: () => LIBRARIES.some((directory) => existsSync(`${directory}/faketime/libfaketime.so.1`)),
    packages: ['faketime'],
  },
]

interface Count {
  readonly passed: number
  readonly failed: number
}

process.exitCode = await main()

async function main(): Promise<number> {
  for (const need of NEEDS) bring(need)
  const counts = [await runTests(), await runSimulation()]
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  return failed > 0 || counts.some((count) => count.passed === 0) ? 1 : 0
}

/** Installs what is missing, or says in one line what to install: the tests that need it then fail and say so, too. */
function bring({ what, neededBy, isThere, packages }: Need): void {
  if (isThere()) return
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  const mayInstall = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0
  if (mayInstall) {
    process.stderr.write(`Installing ${what}: ${command}\n`)
    if (aptGet(['install', '-y', '--no-install-recommends', ...packages]) || aptGet(['update'])) {
      if (isThere() || aptGet(['install', '-y', '--no-install-recommends', ...packages])) return
    }
  }
  process.stderr.write(`Missing: ${what}, for ${neededBy}. Install it with: ${command}\n`)
}

function aptGet(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return (
    spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_TIMEOUT_MS }).status ===
    0
  )
}

/** Runs all tests, with their report for people on the way, and counts them. A file that cannot be run counts as one failure. */
async function runTests(): Promise<Count> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-test-'))
  const report = join(directory, 'report.json')
  try {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
    const { code } = await run([vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], {
      timeoutMs: TESTS_TIMEOUT_MS,
      capture: false,
    })
    const { passed, failed } = readReport(report)
    return { passed, failed: code === 0 ? failed : Math.max(failed, 1) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[]
}

function readReport(file: string): Count {
  if (!existsSync(file)) return { passed: 0, failed: 1 }
  // Sound: vitest wrote it, in the form that it documents.
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  return { passed: numPassedTests, failed: numFailedTests + broken.length }
}

/** Runs the simulator over some seeds; each seed counts as one test. */
async function runSimulation(): Promise<Count> {
  const { code, output } = await run([join(ROOT, 'sim', 'src', 'main.ts'), '--seeds', String(SEEDS), '--json'], {
    timeoutMs: SIMULATION_TIMEOUT_MS,
    capture: true,
  })
  const last = output.trim().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) return { passed: 0, failed: 1 }
  // Sound: our own simulator printed it.
  const { seeds, violations } = JSON.parse(last) as { seeds: number; violations: number }
  process.stdout.write(`simulator: ${last}\n`)
  const failed = Math.min(seeds, violations)
  return { passed: seeds - failed, failed: code === 0 ? failed : Math.max(failed, 1) }
}

/** Runs a program of ours on this Node to its end, or ends it when its time is up. */
function run(
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly capture: boolean },
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', options.capture ? 'pipe' : 'inherit', 'inherit'],
    timeout: options.timeoutMs,
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: 1, output }))
    child.once('close', (code, signal) => {
      if (signal !== null)
        process.stderr.write(`${args[0]} was ended by ${signal}; it has ${options.timeoutMs / 60_000} minutes.\n`)
      resolve({ code: code ?? 1, output })
    })
  })
}
