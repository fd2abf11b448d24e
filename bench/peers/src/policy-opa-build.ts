import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { POLICY_SIZES } from '../../src/policy/sizes.ts'
import { createPolicySet } from '../../src/policy/set.ts'
import { OPA_FOLDER, wasmFile } from './policy-opa-files.ts'
import { ENTRYPOINT, regoByRule, regoOverData } from './policy-rego.ts'

/**
 * Compiles the Rego of the benchmark to WebAssembly with the `opa` program of the user, which npm does not have. Needed once:
 * `npm --prefix bench/peers run policy:opa -- --opa <program>`. Without it OPA is listed as skipped.
 */
const { values } = parseArgs({ options: { opa: { type: 'string', default: 'opa' } } })

const scratch = mkdtempSync(join(tmpdir(), 'tidegate-opa-'))
try {
  mkdirSync(OPA_FOLDER, { recursive: true })
  const version = /^Version: (\S+)$/m.exec(run(values.opa, ['version']).toString())?.[1]
  if (version === undefined) throw new Error(`"${values.opa} version" does not say its version`)
  compile(regoOverData(), wasmFile('opa-wasm'))
  for (const size of POLICY_SIZES) compile(regoByRule(createPolicySet(size)), wasmFile('opa-wasm-rules', size))
  writeFileSync(join(OPA_FOLDER, 'version'), version)
  console.error(`compiled with OPA ${version}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function compile(rego: string, file: string): void {
  const source = join(scratch, 'policy.rego')
  const bundle = join(scratch, 'bundle.tar.gz')
  writeFileSync(source, rego)
  run(values.opa, ['build', '-t', 'wasm', '-e', ENTRYPOINT, '-o', bundle, source])
  writeFileSync(file, run('tar', ['-xzOf', bundle, '/policy.wasm']))
}

function run(program: string, args: readonly string[]): Buffer {
  const ended = spawnSync(program, args, { maxBuffer: 1 << 28 })
  if (ended.status === 0) return ended.stdout
  throw new Error(`${program} ${args[0]}: ${ended.error?.message ?? ended.stderr.toString().slice(0, 2_000)}`)
}
