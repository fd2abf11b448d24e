import type { Command } from 'commander'
import type { Bind } from '../bind.ts'

/** Adds `evals`: attacks on the policies of a suite. The modules behind it are loaded only when it runs. */
export function addEvals(program: Command, bind: Bind): Command {
  const evals = program.command('evals').description('what an attacker would achieve')
  evals
    .command('adversary')
    .description('replay a suite with a planner that obeys every injection')
    .requiredOption('--suite <dir>', 'the recorded suite')
    .requiredOption('--manifest <file>', 'what the tools of the suite are')
    .option('--profile <name>', 'the policies it runs under: balanced, strict or observe', 'balanced')
    .option('--scope <scope>', 'provenance: only its rules about where values come from; profile: all of it', 'provenance')
    .option('--no-grants', 'grant no operations before untrusted data is read')
    .option('--max-asr <percent>', 'fail when more of the attacks succeed')
    .option('--min-utility <percent>', 'fail when fewer of the tasks are done')
    .option('--min-automation <percent>', 'fail when fewer of the tasks are done without a person')
    .action(bind(async (shell, _, flags) => (await import('./evals/adversary.ts')).adversary(shell, flags)))
  return evals
}
