import { Command, Option } from 'commander'
import type { Action, Bind } from './bind.ts'
import { addEndorse } from './command/endorse-options.ts'
import { addEvals } from './command/evals.ts'
import { addConnections } from './command/connections.ts'
import { addPolicy } from './command/policy.ts'
import { addPolicyChange, addToolReview } from './command/changes.ts'
import { EXIT_HELP, type ExitCode } from './exit-code.ts'
import type { GlobalOptions } from './shell.ts'
import { VERSION } from './version.ts'

const EXAMPLES = `
Examples:
  tidegate demo                                        see it work, in a minute
  tidegate up --project examples/support-desk          start the server of a project
  tidegate run support-billing ticketId=t-1003         one governed run
  tidegate runs show ID                                what it saw, decided and touched
  tidegate approvals list                              what waits for a decision
  tidegate approvals approve ID --as mei --why "..."   say yes to exactly that
  tidegate stop --scope global --why "..."             stop everything, now
  tidegate undo ID --why "..."                         take back what a run did
  tidegate ledger verify                               prove that nothing was changed
  tidegate policy test                                 run the cases beside the policies
  tidegate connect claude-code                         watch what the agent does that you have

${EXIT_HELP}
The project is the directory with tidegate.yaml at or above the current one, or --project, or TIDEGATE_PROJECT.`

/** The whole command line. Nothing but the parser is loaded before a command runs, so that help comes at once. */
export function createProgram(signal: AbortSignal, onExit: (exit: ExitCode) => void): Command {
  const program = new Command('tidegate')
    .description('Decides what an autonomous agent may do, records it, and takes it back.')
    .version(VERSION, '--version', 'print the version')
    .addOption(new Option('--project <dir>', 'the project (default: the nearest tidegate.yaml)'))
    .addOption(new Option('--as <person>', 'who you are: reads .tidegate/tokens/<person>.token'))
    .addOption(new Option('--server <url>', 'the server (default: the one that runs for the project)'))
    .addOption(new Option('--token-file <file>', 'a file with your token'))
    .option('--json', 'one JSON document on stdout')
    .option('--no-color', 'no colours')
    .option('-q, --quiet', 'nothing on stderr but errors')
    .showHelpAfterError('Try `tidegate --help`.')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
  program.configureOutput({ outputError: (text, write) => write(`tidegate: ${phraseUsage(text)}`) })
  program.action(() => program.outputHelp())

  const bind =
    (action: Action) =>
    async (...args: unknown[]): Promise<void> => {
      // Sound: commander calls with the arguments, the options, and the command, in this order.
      const command = args.at(-1) as Command
      const { createShell } = await import('./shell.ts')
      const options = command.optsWithGlobals() as GlobalOptions
      onExit(
        await action(
          createShell(options, signal),
          command.processedArgs.flat().filter((each) => each !== undefined) as string[],
          options as never,
        ),
      )
    }
  addProject(program, bind)
  addRuns(program, bind)
  addPeople(program, bind)
  addLedger(program, bind)
  addCatalogue(program, bind)
  addPolicyChange(addPolicy(program, bind), bind)
  addEvals(program, bind)
  addConnections(program, bind)
  for (const command of everyCommand(program)) command.exitOverride().showHelpAfterError('Try `tidegate --help`.')
  return program
}

/** What the parser says about a command line, in words that say which word is the wrong one. */
export function phraseUsage(text: string): string {
  const [, word] = /^(?:error: )?too many arguments.* but got \d+: ([^,\n]*?)(?:,.*)?\.?$/m.exec(text) ?? []
  return word === undefined ? text.replace(/^error: /, '') : `"${word}" is no command here.${text.endsWith('\n') ? '\n' : ''}`
}

/** Every command below one, itself left out. */
export function everyCommand(command: Command): readonly Command[] {
  return command.commands.flatMap((each) => [each, ...everyCommand(each)])
}

function addProject(program: Command, bind: Bind): void {
  program
    .command('up')
    .description('start the server of a project, and stay')
    .action(bind(async (shell) => (await import('./command/up.ts')).up(shell)))
  program
    .command('demo')
    .description('see it work: real tickets, an attack, an approval, an undo, a stop, a proof')
    .option('--once', 'decide one approval, print what happened, and end')
    .option('--keep-state', 'go on with what an earlier demo left')
    .action(bind(async (shell, _, flags) => (await import('./demo/demo.ts')).demo(shell, flags)))
  program
    .command('init')
    .description('write a minimal project that `up` accepts')
    .argument('<dir>', 'an empty or new directory')
    .action(bind(async (shell, [dir = '']) => (await import('./command/init.ts')).init(shell, dir)))
  program
    .command('doctor')
    .description('look for what is wrong, and say how to cure it')
    .argument('[host]', 'with --prove: only this host')
    .option('--prove', 'fire harmless canaries through every way in which connected hosts can act, and say which came through')
    .option('--watch', 'with --prove: stay, and prove again when the version or the configuration of a host changes')
    .option('--every <seconds>', 'with --watch: how often to look', '60')
    .action(
      bind(async (shell, [host], flags: { readonly prove?: boolean; readonly watch?: boolean; readonly every?: string }) =>
        flags.prove === true
          ? (await import('./command/prove.ts')).prove(shell, host, flags)
          : (await import('./command/doctor.ts')).doctor(shell),
      ),
    )
  program
    .command('completion')
    .description('print a completion script: source <(tidegate completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action(bind(async (shell, [name = '']) => (await import('./command/completion.ts')).completion(shell, program, name)))
  const mcp = program
    .command('mcp')
    .description('speak MCP over stdin and stdout, for a client that cannot speak HTTP')
    .option('--host <name>', 'which host of the project this is (default: the only one)')
    .action(bind(async (shell, _, flags) => (await import('./command/mcp.ts')).mcp(shell, flags)))
  mcp
    .command('draft')
    .description('print the draft of an overlay for an upstream MCP server')
    .argument('<server>', 'its name under mcp in tidegate.yaml')
    .action(bind(async (shell, [server = '']) => (await import('./command/mcp-draft.ts')).mcpDraft(shell, server)))
  program
    .command('version')
    .description('print the version')
    .action(
      bind(async (shell) => {
        shell.result({ version: VERSION, node: process.version }, ({ version, node }) => `tidegate ${version} (node ${node})`)
        return 0
      }),
    )
}

function addRuns(program: Command, bind: Bind): void {
  program
    .command('run')
    .description('deliver one event to a workflow and wait for what comes of it')
    .argument('<workflow>')
    .argument('[input...]', 'key=value')
    .option('--input <json>', 'the input as JSON')
    .option('--input-file <file>', 'the input as a JSON file; - is stdin')
    .option('--source <name>', 'where the event comes from', 'cli')
    .option('--event <id>', 'its id there; the same one twice opens one run')
    .option('--user <person>', 'on whose behalf (needs the role dispatcher)')
    .option('--no-wait', 'do not wait')
    .option('--timeout <seconds>', 'how long to wait', '60')
    .action(
      bind(async (shell, [workflow = '', ...pairs], flags) =>
        (await import('./command/run.ts')).run(shell, workflow, pairs, flags),
      ),
    )
  const runs = program.command('runs').description('what was done')
  runs
    .command('list', { isDefault: true })
    .description('runs, newest first')
    .option('--state <states>', 'only these, separated by commas')
    .option('--workflow <name>', 'only of this workflow')
    .option('--limit <n>', 'at most so many', '50')
    .action(bind(async (shell, _, flags) => (await import('./command/runs.ts')).list(shell, flags)))
  runs
    .command('show')
    .description('what a run saw, decided and touched')
    .argument('<id>', 'a run, or the beginning or end of its id')
    .action(bind(async (shell, [id = '']) => (await import('./command/runs.ts')).show(shell, id)))
  runs
    .command('watch')
    .description('follow a run until it rests or needs a person')
    .argument('<id>', 'a run, or the beginning or end of its id')
    .option('--timeout <seconds>', 'how long to watch', '3600')
    .action(bind(async (shell, [id = ''], flags) => (await import('./command/runs.ts')).watch(shell, id, flags)))
  program
    .command('undo')
    .description('take back what a finished run did')
    .argument('<run>', 'a run, or the beginning or end of its id')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .action(bind(async (shell, [id = ''], flags) => (await import('./command/control.ts')).undo(shell, id, flags)))
}

function addPeople(program: Command, bind: Bind): void {
  const approvals = program.command('approvals').description('what people decide')
  approvals
    .command('list', { isDefault: true })
    .description('what waits for a decision')
    .option('--all', 'also what was decided')
    .action(bind(async (shell, _, flags) => (await import('./command/approvals.ts')).list(shell, flags)))
  approvals
    .command('show')
    .description('one question, with what would change')
    .argument('<id>', 'an approval, or the beginning or end of its id')
    .action(bind(async (shell, [id = '']) => (await import('./command/approvals.ts')).show(shell, id)))
  for (const which of ['approve', 'refuse'] as const) {
    approvals
      .command(which)
      .description(which === 'approve' ? 'say yes to exactly this action' : 'say no')
      .argument('<id>', 'an approval, or the beginning or end of its id')
      .option('--why <text>', 'the ledger keeps it')
      .option('--digest <hex>', 'insist on the digest that you saw')
      .option('--yes', 'do not ask again, whatever the risk')
      .option('--plan', 'answer for the whole plan that the question shows')
      .action(bind(async (shell, [id = ''], flags) => (await import('./command/approvals.ts')).vote(shell, which, id, flags)))
  }
  addEndorse(approvals, bind)
  program
    .command('stop')
    .description('stop: nothing in the scope starts any more')
    .requiredOption('--scope <scope>', 'global, agent:X, workflow:X, tool:X or run:X')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .option('--mode <mode>', 'hold keeps runs for a later lift, kill ends them', 'hold')
    .action(bind(async (shell, _, flags) => (await import('./command/control.ts')).stop(shell, flags)))
  program
    .command('stops')
    .description('the stops in force')
    .action(bind(async (shell) => (await import('./command/control.ts')).stops(shell)))
  program
    .command('lift')
    .description('lift a stop, or all stops over a scope')
    .argument('[stop]', 'a stop, or the beginning or end of its id')
    .option('--scope <scope>', 'all stops over exactly this scope')
    .requiredOption('--why <text>', 'the ledger keeps it')
    .action(bind(async (shell, [id], flags) => (await import('./command/control.ts')).lift(shell, id, flags)))
  program
    .command('calibration')
    .description('what became of what runs were sure of')
    .option('--workflow <name>', 'of one workflow')
    .action(bind(async (shell, _, flags) => (await import('./command/calibration.ts')).show(shell, flags)))
  program
    .command('limits')
    .description('what is counted, its limits, and how full they are')
    .argument('[name]', 'one of them, with its largest counts')
    .action(bind(async (shell, [name]) => (await import('./command/limits.ts')).show(shell, name)))
  const observe = program.command('observe').description('hosts that are only observed')
  observe
    .command('report', { isDefault: true })
    .description('what would have been denied or asked about, by policy, and what would make it quiet')
    .option('--host <name>', 'of one host')
    .option('--since <age>', 'such as 90m, 12h or 7d')
    .option('--limit <count>', 'so many kinds of calls', '10')
    .action(bind(async (shell, _, flags) => (await import('./command/observe.ts')).report(shell, flags)))
  const queue = program.command('queue').description('what is left for people')
  queue
    .command('list', { isDefault: true })
    .description('what waits for a person')
    .option('--all', 'also what was settled')
    .action(bind(async (shell, _, flags) => (await import('./command/queue.ts')).list(shell, flags)))
  queue
    .command('resolve')
    .description('say that you have settled it')
    .argument('<item>', 'an item, or the beginning or end of its id')
    .requiredOption('--why <text>', 'how; the ledger keeps it')
    .action(bind(async (shell, [item = ''], flags) => (await import('./command/queue.ts')).resolve(shell, item, flags)))
}

function addLedger(program: Command, bind: Bind): void {
  const ledger = program.command('ledger').description('the proof of what was done')
  ledger
    .command('verify')
    .description('recompute the whole ledger')
    .action(bind(async (shell) => (await import('./command/ledger.ts')).verify(shell)))
  ledger
    .command('head')
    .description('size, root and signed checkpoint')
    .action(bind(async (shell) => (await import('./command/ledger.ts')).head(shell)))
  ledger
    .command('export')
    .description('write an export that tidegate-verify checks offline')
    .argument('<dir>', 'an empty or new directory, on the machine of the server')
    .option('--payloads', 'with what agents and customers wrote, not only the digests')
    .action(bind(async (shell, [dir = ''], flags) => (await import('./command/ledger.ts')).exportLedger(shell, dir, flags)))
  ledger
    .command('receipt')
    .description('proof that one entry is in the ledger')
    .option('--index <n>', 'of this entry')
    .option('--run <id>', 'of the last entry of this run')
    .option('--out <file>', 'write it to a new file')
    .action(bind(async (shell, _, flags) => (await import('./command/ledger.ts')).receipt(shell, flags)))
}

function addCatalogue(program: Command, bind: Bind): void {
  const tools = program.command('tools').description('what can be done at all')
  tools
    .command('list', { isDefault: true })
    .description('every declared operation')
    .action(bind(async (shell) => (await import('./command/catalogue.ts')).listTools(shell)))
  tools
    .command('show')
    .description('a tool, or one of its operations')
    .argument('<id>')
    .action(bind(async (shell, [id = '']) => (await import('./command/catalogue.ts')).showTool(shell, id)))
  addToolReview(tools, bind)
  const workflows = program.command('workflows').description('what agents are for')
  workflows
    .command('list', { isDefault: true })
    .description('the workflows in force')
    .action(bind(async (shell) => (await import('./command/catalogue.ts')).listWorkflows(shell)))
  workflows
    .command('show')
    .description('one workflow: operations, limits, success check')
    .argument('<name>')
    .action(bind(async (shell, [name = '']) => (await import('./command/catalogue.ts')).showWorkflow(shell, name)))
}
