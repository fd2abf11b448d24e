import type { OperationDeclaration } from '@tidegate/tools'
import { ADDRESS, declare, type OwnTool, PATH, RECIPIENT, TARGET, WORDS } from './declare.ts'

/** A look at what the host itself keeps: its own words, told to nobody. */
const LOOK = {
  mutability: 'read',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  origin: 'system',
  egress: 'none',
} as const satisfies Partial<OwnTool>
/** A look at what anybody may have written: files come from repositories, pages from the web. */
const READ = { ...LOOK, origin: 'third-party' } as const
/** What happens inside the session alone: nothing in the world is another than before. */
const WITHIN = { ...LOOK, origin: 'arguments' } as const satisfies Partial<OwnTool>
/** A change that we cannot take back. */
const CHANGE = {
  ...WITHIN,
  mutability: 'write',
  blastRadius: 'cross-system',
  nature: [],
  reversibility: 'irreversible',
} as const satisfies Partial<OwnTool>
/** A change of one file of the user. */
const FILE = { ...CHANGE, blastRadius: 'single', risk: 'medium' } as const satisfies Partial<OwnTool>
/**
 * A command of a shell, as the user. This is the kind that stays in the folder it works in, as far as can be told from its text; the server
 * tells apart those that only look and those that reach further, and both have classes of their own.
 */
const PROGRAM = {
  ...CHANGE,
  risk: 'medium',
  nature: ['code'],
  origin: 'third-party',
  egress: 'external',
} as const satisfies Partial<OwnTool>
/** What nobody has classified: a person looks, and its nature is left open, so that a policy can ask about that too. */
const UNKNOWN = {
  mutability: 'write',
  dataClass: 'secret',
  blastRadius: 'admin',
  risk: 'high',
  reversibility: 'irreversible',
  origin: 'third-party',
  egress: 'external',
} as const satisfies Partial<OwnTool>

/** What the tools of Claude Code do, by operation. `tool-names.ts` says which tool is which; what stands nowhere is `other`. */
export const OPERATIONS: Readonly<Record<string, OperationDeclaration>> = {
  bash: declare({
    ...PROGRAM,
    title: 'Run a command',
    description: 'Runs a command of a shell as the user, outside of any sandbox of Tidegate.',
    inputs: { command: WORDS, description: WORDS },
  }),
  monitor: declare({
    ...PROGRAM,
    risk: 'high',
    nature: ['code', 'egress'],
    title: 'Watch with a command',
    description: 'Runs a command, or opens a connection, and wakes the agent with each line of its output.',
    inputs: { command: WORDS, ws: ADDRESS, description: WORDS },
  }),
  'shell.output': declare({
    ...READ,
    title: 'Read the output of a command',
    description: 'Reads what a command in the background has written.',
  }),
  'shell.end': declare({
    ...WITHIN,
    title: 'End a command',
    description: 'Ends a command or an agent that runs in the background.',
    inputs: { task_id: TARGET, shell_id: TARGET, bash_id: TARGET },
  }),
  read: declare({
    ...READ,
    title: 'Read a file',
    description: 'Reads a file, a picture, a PDF or a notebook.',
    inputs: { file_path: PATH, notebook_path: PATH },
  }),
  'read.secret': declare({
    ...READ,
    title: 'Read a file with secrets',
    description: 'Reads a file whose place says that it holds keys, tokens or passwords.',
    dataClass: 'secret',
    risk: 'high',
    inputs: { file_path: PATH, notebook_path: PATH, path: PATH },
  }),
  write: declare({
    ...FILE,
    title: 'Write a file',
    description: 'Creates a file, or replaces what was in it.',
    record: 'file_path',
    inputs: { file_path: PATH, content: WORDS },
  }),
  edit: declare({
    ...FILE,
    title: 'Edit a file',
    description: 'Replaces parts of a file.',
    record: 'file_path',
    inputs: { file_path: PATH, old_string: WORDS, new_string: WORDS, edits: WORDS },
  }),
  'notebook.edit': declare({
    ...FILE,
    title: 'Edit a notebook',
    description: 'Replaces, adds or deletes a cell of a Jupyter notebook.',
    record: 'notebook_path',
    inputs: { notebook_path: PATH, new_source: WORDS },
  }),
  configure: declare({
    ...FILE,
    title: 'Change what runs or what is allowed',
    description:
      'Writes a file that decides what agents may do or what starts by itself: settings, hooks, skills, policies, shell profiles.',
    blastRadius: 'admin',
    risk: 'high',
    nature: ['credential', 'skill', 'code'],
    inputs: {
      file_path: PATH,
      notebook_path: PATH,
      content: WORDS,
      old_string: WORDS,
      new_string: WORDS,
      edits: WORDS,
      new_source: WORDS,
    },
  }),
  find: declare({
    ...READ,
    // Names of files that are there: a stranger may have chosen them, and still they are known ones.
    origin: 'member',
    title: 'Find files',
    description: 'Lists files whose names fit a pattern.',
    inputs: { path: PATH, pattern: WORDS },
  }),
  search: declare({
    ...READ,
    title: 'Search in files',
    description: 'Shows lines of files that fit a pattern.',
    inputs: { path: PATH, pattern: WORDS },
  }),
  'web.fetch': declare({
    ...READ,
    title: 'Fetch a page of the web',
    description: 'Fetches an address; the address itself tells its server something.',
    dataClass: 'public',
    nature: ['egress'],
    egress: 'external',
    inputs: { url: ADDRESS, prompt: WORDS },
  }),
  'web.search': declare({
    ...READ,
    title: 'Search the web',
    description: 'Asks a search service; the words of the search go to it.',
    dataClass: 'public',
    nature: ['egress'],
    egress: 'external',
    inputs: { query: WORDS },
  }),
  agent: declare({
    ...WITHIN,
    title: 'Start a sub-agent',
    description: 'Starts an agent of the same session. Each of its calls comes through the same door by itself.',
    origin: 'third-party',
    inputs: { prompt: WORDS, description: WORDS },
  }),
  workflow: declare({
    ...WITHIN,
    title: 'Run a program of agents',
    description: 'Runs a script that starts agents. Each of their calls comes through the same door by itself.',
    risk: 'medium',
    nature: ['code'],
    origin: 'third-party',
    inputs: { script: WORDS, scriptPath: PATH, name: TARGET, args: WORDS },
  }),
  message: declare({
    ...CHANGE,
    title: 'Write to another agent',
    description: 'Sends a message to an agent that runs on this machine.',
    nature: ['message'],
    egress: 'internal',
    inputs: { to: RECIPIENT, message: WORDS },
  }),
  notify: declare({
    ...WITHIN,
    title: 'Tell the user something',
    description: 'Sends a notification to the user, or asks the user a question.',
    origin: 'user',
    inputs: { message: WORDS, questions: WORDS },
  }),
  todo: declare({
    ...WITHIN,
    title: 'Keep a list of tasks',
    description: 'Changes the list of tasks of the session.',
    inputs: { todos: WORDS },
  }),
  'todo.read': declare({ ...LOOK, title: 'Read the list of tasks', description: 'Reads the list of tasks of the session.' }),
  plan: declare({
    ...WITHIN,
    title: 'Plan',
    description: 'Begins or ends planning; the user sees the plan and is asked.',
    inputs: { plan: WORDS },
  }),
  skill: declare({
    ...WITHIN,
    title: 'Use a skill',
    description: 'Loads the instructions of a skill or of a slash command into the conversation.',
    origin: 'third-party',
    inputs: { skill: TARGET, command: TARGET, args: WORDS },
  }),
  'tool.search': declare({
    ...LOOK,
    title: 'Look for a tool',
    description: 'Loads the description of tools that the agent may call.',
  }),
  'mcp.read': declare({
    ...READ,
    title: 'Read from an MCP server',
    description: 'Lists or reads resources of an MCP server that is not behind Tidegate.',
    egress: 'external',
    inputs: { server: TARGET, uri: ADDRESS },
  }),
  mcp: declare({
    ...UNKNOWN,
    title: 'Call a tool of an MCP server',
    description: 'Calls a tool of an MCP server that is not behind Tidegate. Nobody has said what it does.',
    inputs: { server: TARGET, tool: TARGET, arguments: WORDS },
  }),
  'schedule.read': declare({ ...LOOK, title: 'Look at what is scheduled', description: 'Lists what was scheduled.' }),
  schedule: declare({
    ...CHANGE,
    title: 'Schedule a turn of the agent',
    description: 'Makes the agent start by itself later, or keeps it from that.',
    blastRadius: 'cross-system',
    risk: 'high',
    nature: ['schedule'],
    origin: 'third-party',
    inputs: { prompt: WORDS, cron: { role: 'value', type: 'text' }, id: TARGET, trigger_id: TARGET, body: WORDS },
  }),
  worktree: declare({
    ...CHANGE,
    title: 'Work in a copy',
    description: 'Enters a working copy of the repository, or leaves it.',
    inputs: { name: TARGET, path: PATH },
  }),
  'worktree.remove': declare({
    ...CHANGE,
    title: 'Remove a copy',
    description: 'Leaves a working copy of the repository and removes it.',
    mutability: 'destructive',
  }),
  other: declare({
    ...UNKNOWN,
    title: 'Something else',
    description: 'A tool of Claude Code that this version of Tidegate does not know.',
    inputs: { tool: TARGET, arguments: WORDS },
  }),
}
