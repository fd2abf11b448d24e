import { BenchError } from '../error.ts'
import { parseMeasureOptions } from './contender-line.ts'
import { measureEngine } from './measure.ts'
import { ours, oursBalanced, oursProduct, refusalOfProduct, typescript } from './ours.ts'
import type { PolicyRow } from './row.ts'

type Report = Omit<PolicyRow, 'name'> | { readonly skipped: string }

/** Measures one engine of ours with one set: `node bench/src/policy/contender.ts <engine> --policies N --milliseconds T`. */
async function measure(name: string | undefined, line: readonly string[]): Promise<Report> {
  const options = parseMeasureOptions(line)
  switch (name) {
    case 'ours':
      return measureEngine(ours, options)
    case 'ours-product':
    case 'ours-balanced': {
      const refusal = refusalOfProduct(options.policies)
      if (refusal !== undefined) return { skipped: refusal }
      return measureEngine(name === 'ours-product' ? oursProduct : oursBalanced, options)
    }
    case 'typescript':
      return measureEngine(typescript, options)
    default:
      throw new BenchError('arguments_invalid', `there is no engine "${name}"`)
  }
}

const [name, ...line] = process.argv.slice(2)
console.log(JSON.stringify(await measure(name, line)))
