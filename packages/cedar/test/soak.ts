import { runDifferential } from './differential/run.ts'

/**
 * Compares the compiled policies with Cedar for as long as wanted: `npm run soak -w @tidegate/cedar -- [pairs] [seed]`.
 *
 * Ends with 1 when the two ever disagreed, after printing the smallest question that shows it.
 */
function soak(pairs: number, seed: number): void {
  const start = performance.now()
  let shown = 0
  const report = runDifferential({
    seed,
    pairs,
    onProgress(done, disagreements) {
      if (done - shown < 50_000) return
      shown = done
      console.log(`${done} pairs, ${disagreements} disagreements, ${Math.round((performance.now() - start) / 1000)} s`)
    },
  })
  console.log(`seed ${seed}: ${report.pairs} pairs, ${report.allowed} allowed, ${report.disagreements.length} disagreements`)
  console.log(`failures: ${[...report.failures].map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
  for (const disagreement of report.disagreements) console.log(`\n${disagreement}`)
  if (report.disagreements.length > 0) process.exitCode = 1
}

const [pairs = '1000000', seed = '1'] = process.argv.slice(2)
soak(Number(pairs), Number(seed))
