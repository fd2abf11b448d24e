import type { Command } from 'commander'
import type { Bind } from '../bind.ts'

/**
 * Adds `policy`: what looks at policies without a server, and answers the group so that commands which need one can be added to it.
 *
 * The modules behind these commands load the workbench, and through it Cedar: never before one of them runs.
 */
export function addPolicy(program: Command, bind: Bind): Command {
  const policy = program.command('policy').description('what agents may do: check it, test it, change it')
  policy
    .command('lint')
    .description('everything that is wrong or suspicious about the policies of the project')
    .option('--strict', 'warnings are errors')
    .action(bind(async (shell, _, flags) => (await import('./policy/lint.ts')).lint(shell, flags)))
  policy
    .command('test')
    .description('run the cases beside the policies')
    .argument('[files...]', 'case files (default: *.test.yaml beside the policies)')
    .option('--coverage', 'a policy that no case exercises is an error')
    .option('--profile <name>', 'test under the policies of this profile, too')
    .action(bind(async (shell, files, flags) => (await import('./policy/test.ts')).test(shell, files, flags)))
  policy
    .command('plan')
    .description('what the policies of the project would change on the server, and in the past')
    .option('--last <n>', 'past decisions to decide again, the newest', '10000')
    .option('--since <time>', 'only of runs since then: 7d, 12h, 2026-11-20')
    .option('--no-backtest', 'leave the past alone')
    .option('--against <dir>', 'compare with the policies in this directory instead, without a server')
    .option('--samples <n>', 'with --against: requests that are decided under both', '20000')
    .action(bind(async (shell, _, flags) => (await import('./policy/plan.ts')).plan(shell, flags)))
  policy
    .command('authorize')
    .description("decide one request of Cedar's own, from files")
    .requiredOption('--policies <file>', 'Cedar policies')
    .requiredOption('--entities <file>', 'entities as JSON')
    .requiredOption('--request <file>', 'the request as JSON: principal, action, resource, context')
    .option('--schema <file>', 'a Cedar schema to check all three against')
    .action(bind(async (shell, _, flags) => (await import('./policy/cedar.ts')).authorize(shell, flags)))
  policy
    .command('conformance')
    .description("run Cedar's own test suite against the evaluator that decides here")
    .argument('<dir>', 'the directory of the suite')
    .action(bind(async (shell, [dir = '']) => (await import('./policy/cedar.ts')).conformance(shell, dir)))
  return policy
}
