import type { Command } from 'commander'
import type { Bind } from '../bind.ts'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `approvals endorse` and `approvals endorsed`. */
export function addEndorse(approvals: Command, bind: Bind): void {
  approvals
    .command('endorse')
    .description('say that a value may be used for one target argument, for the rest of its run')
    .argument('<id>', 'an open approval; with --action or --operation a run; or the beginning or end of its id')
    .option('--pointer <pointer>', 'where the value stands in the arguments, such as /recipient; may be repeated', collect)
    .option('--value <value>', 'the value itself, instead of what stands there')
    .option('--action <n>', 'of a run: the action in whose arguments it stands')
    .option('--operation <id>', 'of a run: the operation that may use the value')
    .option('--digest <hex>', 'insist on the digest of the action that you saw')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .action(bind(async (shell, [id = ''], flags) => (await import('./endorse.ts')).endorse(shell, id, flags)))
  approvals
    .command('endorsed')
    .description('what was endorsed in a run, by whom and why')
    .argument('<run>', 'a run, or the beginning or end of its id')
    .action(bind(async (shell, [run = '']) => (await import('./endorse.ts')).list(shell, run)))
}
