import { type Command, Option } from 'commander'
import type { Bind } from '../bind.ts'

/** Adds what connects agents that are not ours. The modules behind it are loaded only when they run. */
export function addConnections(program: Command, bind: Bind): void {
  program
    .command('connect')
    .description('make the calls of an agent that you have go through Tidegate')
    .argument('<kind>', 'claude-code, openclaw or mcp')
    .option('--observe', 'decide and record everything, stop nothing (the default)')
    .option('--enforce', 'what is not permitted does not happen; needs a proof (doctor --prove)')
    .option('--unproven', 'enforce although nothing has proved that every call comes through')
    .option('--name <name>', 'its name in tidegate.yaml')
    .option('--config <file>', 'the configuration to change, instead of the usual one')
    .addOption(
      new Option('--permit <whom>', 'who is asked besides Tidegate: host (its own rules) or allow (nobody)').default('host'),
    )
    .option('--wait <seconds>', 'how long a call waits for people before it is told to come back')
    .option('--tickets', 'calls of our own tools need a ticket from the hook')
    .option('--dry-run', 'say what would be changed, and change nothing')
    .action(bind(async (shell, [kind = ''], flags) => (await import('./connect.ts')).connect(shell, kind, flags)))
  program
    .command('disconnect')
    .description('put the configuration of a host back as it was')
    .argument('<name>', 'the host, as `hosts` lists it')
    .option('--force', 'overwrite what somebody has changed since; it is kept beside')
    .action(bind(async (shell, [name = ''], flags) => (await import('./connect.ts')).disconnect(shell, name, flags)))
  program
    .command('hosts')
    .description('the agents that are connected, and what they did')
    .action(bind(async (shell) => (await import('./hosts.ts')).hosts(shell)))
  program
    .command('hook')
    .description('answer one event of a host; a connected host starts it')
    .argument('<kind>', 'claude-code')
    .argument('[args...]')
    .allowUnknownOption()
    .action(bind(async (_, given) => (await import('./hook.ts')).hook(given)))
}
