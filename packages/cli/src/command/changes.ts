import type { Command } from 'commander'
import type { Bind } from '../bind.ts'

/** Adds to `policy` what changes the policies of a running server, and what looks back. */
export function addPolicyChange(policy: Command, bind: Bind): void {
  policy
    .command('apply')
    .description('propose the policies of the project to the server; whoever reviews changes is asked')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .option('--last <n>', 'past decisions to decide again, the newest', '10000')
    .option('--since <time>', 'only of runs since then: 7d, 12h, 2026-11-20')
    .option('--no-backtest', 'leave the past alone')
    .option('--wait', 'wait for the reviewers')
    .option('--timeout <seconds>', 'how long to wait', '3600')
    .action(bind(async (shell, _, flags) => (await import('./policy-change.ts')).apply(shell, flags)))
  policy
    .command('rollback')
    .description('propose to go back to an earlier version')
    .argument('[version]', 'six digits of it, or more (default: the one before)')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .option('--wait', 'wait for the reviewers')
    .option('--timeout <seconds>', 'how long to wait', '3600')
    .action(bind(async (shell, [version], flags) => (await import('./policy-change.ts')).rollback(shell, version, flags)))
  policy
    .command('versions')
    .description('every version that was ever in force')
    .action(bind(async (shell) => (await import('./policy-look.ts')).versions(shell)))
  policy
    .command('show')
    .description('the texts of a version')
    .argument('[version]', 'six digits of it, or more (default: the one in force)')
    .action(bind(async (shell, [version]) => (await import('./policy-look.ts')).show(shell, version)))
  policy
    .command('explain')
    .description('why a run was allowed or not, decided again with the policies of its day')
    .argument('<run>', 'a run, or the beginning or end of its id')
    .argument('[action]', 'only this action of it')
    .action(bind(async (shell, [run = '', action]) => (await import('./policy-look.ts')).explain(shell, run, action)))
}

/** Adds to `tools` what is done about operations that have changed. */
export function addToolReview(tools: Command, bind: Bind): void {
  tools
    .command('review')
    .description('operations that have changed since they were accepted, and how')
    .action(bind(async (shell) => (await import('./tool-review.ts')).review(shell)))
  tools
    .command('accept')
    .description('propose to use a changed operation as it is declared now')
    .argument('<operation>')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .option('--wait', 'wait for the reviewers')
    .option('--timeout <seconds>', 'how long to wait', '3600')
    .action(bind(async (shell, [operation = ''], flags) => (await import('./tool-review.ts')).accept(shell, operation, flags)))
}
