import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { parseMeasureOptions } from '../../src/policy/contender-line.ts'
import { type EngineUnderTest, measureEngine } from '../../src/policy/measure.ts'
import type { Answer } from '../../src/policy/reference.ts'
import type { PolicyQuestion } from '../../src/policy/set.ts'
import { installedVersion } from './installed-version.ts'
import { OPA_FOLDER, wasmFile } from './policy-opa-files.ts'
import { scopedData } from './policy-rego.ts'

/** More than the largest of the policies declares that it needs; the memory grows by itself. */
const INITIAL_PAGES = 64

const [name, ...line] = process.argv.slice(2)
const options = parseMeasureOptions(line)
const asData = name !== 'opa-wasm-rules'
const file = asData ? wasmFile('opa-wasm') : wasmFile('opa-wasm-rules', options.policies)

const opaWasm = (compiler: string): EngineUnderTest<PolicyQuestion> => ({
  version: `${installedVersion('@open-policy-agent/opa-wasm')}, compiled by OPA ${compiler}`,
  notes: asData
    ? 'scoped rules as data, found by agent and tool; compiled before, which is not part of the load time'
    : 'one Rego rule per policy; compiled before, which is not part of the load time',
  async load(set) {
    const policy = await loadPolicy(readFileSync(file), { initial: INITIAL_PAGES })
    policy.setData(asData ? scopedData(set) : {})
    return {
      prepare: (question) => question,
      decide: (question) => {
        const [first] = policy.evaluate(question) as [{ result: Required<Answer> }?]
        return first?.result ?? { outcome: 'deny', policies: [] }
      },
    }
  },
})

if (existsSync(file)) {
  const compiler = readFileSync(join(OPA_FOLDER, 'version'), 'utf8')
  console.log(JSON.stringify(await measureEngine(opaWasm(compiler), options)))
} else {
  const skipped = 'not run here: needs the opa program once, see bench/README.md (npm --prefix bench/peers run policy:opa)'
  console.log(JSON.stringify({ skipped }))
}
