import type { WireCalibration } from '@tidegate/protocol'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'

/** Shows what became of what runs were sure of. */
export function show(shell: Shell, flags: { readonly workflow?: string }): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await client.calibration(flags.workflow), (view) => renderCalibration(shell, view))
    return EXIT.ok
  })
}

function renderCalibration(shell: Shell, { runs, kinds }: WireCalibration): string {
  if (runs === 0) return 'No run has ended yet in a way that says whether it was right.'
  const rows = kinds.map(({ kind, count, accuracy, meanConfidence, brierScore, expectedCalibrationError }) => [
    kind,
    String(count),
    percent(accuracy),
    percent(meanConfidence),
    brierScore === null ? '-' : brierScore.toFixed(3),
    percent(expectedCalibrationError),
  ])
  const table = renderTable(['of', 'judged', 'right', 'sure', 'brier', 'off by'], rows, shell.columns)
  return [table, '', `Over ${runs} runs that were seen to be completed, or failed. Sure above right is too sure of itself.`].join(
    '\n',
  )
}

function percent(fraction: number | null): string {
  return fraction === null ? '-' : `${(fraction * 100).toFixed(1)} %`
}
