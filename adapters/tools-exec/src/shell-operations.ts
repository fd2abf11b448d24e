import { createHash } from 'node:crypto'
import { type Compensation, isObject, type Json, type JsonObject, type Operation, type Shape } from '@tidegate/kernel'
import { type CommandKind, commandShape, kindOf, readCommand } from './shell-arguments.ts'

/** Raised whenever the meaning of the declarations below changes: it is part of every action digest. */
const VERSION = 2

/** How an answer of a command looks. */
const OUTPUT: Shape = {
  jsonSchema: {
    type: 'object',
    properties: {
      exitCode: { type: ['integer', 'null'], description: 'null when it was ended before it ended by itself.' },
      ended: { type: 'string', enum: ['itself', 'time', 'interrupted', 'died'] },
      stdout: { type: 'string' },
      stderr: { type: 'string' },
      truncated: { type: 'boolean' },
      durationMs: { type: 'number' },
      changes: { type: 'integer', description: 'How many files, links and directories it changed.' },
      changed: { type: 'array', items: { type: 'string' }, description: 'The first of them.' },
      before: { type: ['string', 'null'] },
      after: { type: ['string', 'null'] },
      connections: { type: 'array', items: { type: 'string' } },
    },
    required: [
      'exitCode',
      'ended',
      'stdout',
      'stderr',
      'truncated',
      'durationMs',
      'changes',
      'changed',
      'before',
      'after',
      'connections',
    ],
  },
  parse: (value) =>
    isObject(value) ? { ok: true, value } : { ok: false, issues: [{ path: '', message: 'expected an object' }] },
}

/** What people and models are told about each. */
const WORDS: Readonly<Record<CommandKind, { readonly title: string; readonly description: string }>> = {
  look: {
    title: 'Run a command that only looks',
    description:
      'Runs a bash command that only reads: ls, cat, grep, git status and their kin. No network; the workspace is /workspace.',
  },
  exec: {
    title: 'Run a command',
    description:
      'Runs a bash command in a sandbox: no network, nothing of the machine but installed programs, and the workspace at /workspace. What it changes there can be taken back.',
  },
  reach: {
    title: 'Run a command that reaches further',
    description:
      'Runs a command that wants the network or places outside of the workspace, that destroys, or that cannot be understood. A person looks at it first. The network is only there for hosts that the project lists.',
  },
}

/** What makes a shell. */
export interface ShellNames {
  /** The name of the tool: operations are `<tool>.exec` and so on. */
  readonly tool: string
  /** Absolute, outside of the sandbox. */
  readonly workspace: string
  readonly timeoutMs: number
  /** Who writes what lies in the workspace: its owner, whose word it is, or anybody. */
  readonly contents: 'trusted' | 'third-party'
}

/**
 * The operations of a shell. `exec` is the one that agents name; a command that only looks, or reaches further, is `look` or `reach`
 * ({@link Operation.narrow}), so that each kind of command has its own risk, and policies need not read commands to tell them apart.
 */
export function shellOperations(names: ShellNames): readonly Operation[] {
  const { tool, workspace } = names
  const narrow = (args: Json): string | null => {
    if (!isObject(args) || typeof args.command !== 'string') return null
    const kind = kindOf(readCommand(args.command, workspace, typeof args.cwd === 'string' ? args.cwd : undefined))
    return kind === 'exec' ? null : `${tool}.${kind}`
  }
  return [
    commandOperation(names, 'look', { mutability: 'read', risk: 'low', facetOf: `${tool}.exec` }),
    { ...commandOperation(names, 'exec', { mutability: 'write', risk: 'low' }), narrow },
    commandOperation(names, 'reach', {
      mutability: 'write',
      risk: 'high',
      nature: ['egress'],
      blastRadius: 'cross-system',
      facetOf: `${tool}.exec`,
    }),
    restoreOperation(tool),
  ]
}

function commandOperation(
  { tool, workspace, timeoutMs, contents }: ShellNames,
  kind: CommandKind,
  more: Pick<Operation, 'mutability' | 'risk'> & Partial<Operation>,
): Operation {
  const id = `${tool}.${kind}`
  const input = commandShape(workspace, kind)
  const origin = contents === 'trusted' && kind !== 'reach' ? 'system' : 'third-party'
  const isRead = more.mutability === 'read'
  return {
    ...WORDS[kind],
    ...{ id, tool, input, output: OUTPUT, timeoutMs: timeoutMs + 30_000 },
    dataClass: 'internal',
    blastRadius: 'single',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    origins: { '': 'system', '/stdout': origin, '/stderr': origin, '/changed/*': origin },
    flow: {
      // A command is of one piece: where its words come from says little about what it does, and the sandbox bounds that.
      inputs: { '/command': { role: 'value', type: 'text' } },
      outputs: {
        '/stdout': { origin, type: 'text' },
        '/stderr': { origin, type: 'text' },
        '/changed/*': { origin, type: 'path' },
        '/ended': { origin: 'system', type: 'enum' },
        '/before': { origin: 'system', type: 'identifier' },
        '/after': { origin: 'system', type: 'identifier' },
        '/connections/*': { origin: 'system', type: 'text' },
      },
      egress: kind === 'reach' ? 'external' : 'none',
    },
    idempotency: 'none',
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: !isRead,
    canVerify: false,
    ...(isRead ? {} : { compensation: takeBack(tool) }),
    schemaVersion: versionOf({ id, contents, kind, version: VERSION }),
    ...more,
  }
}

/** What a command changed is put back; one that changed nothing needs nothing. */
function takeBack(tool: string): Compensation {
  return ({ output }) => {
    if (!isObject(output) || output.changes === 0) return null
    const { before = null, after = null } = output
    return { operation: `${tool}.restore`, arguments: { before, after } }
  }
}

function restoreOperation(tool: string): Operation {
  const id = `${tool}.restore`
  const state = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const
  const properties = { before: state, after: state }
  const required = ['before', 'after']
  return {
    id,
    tool,
    title: 'Put the workspace back',
    description: 'Puts back what one command changed in the workspace, but for what was changed again since.',
    input: {
      jsonSchema: { type: 'object', properties, required, additionalProperties: false },
      parse(value) {
        const isState = (name: string): boolean => isObject(value) && /^[0-9a-f]{64}$/.test(String(value[name]))
        const missing = required.filter((name) => !isState(name))
        if (missing.length > 0 || !isObject(value) || Object.keys(value).length !== 2)
          return { ok: false, issues: missing.map((name) => ({ path: `/${name}`, message: 'expected the name of a state' })) }
        return { ok: true, value }
      },
    },
    output: {
      jsonSchema: {
        type: 'object',
        properties: { restored: { type: 'integer' }, conflicts: { type: 'array', items: { type: 'string' } } },
        required: ['restored', 'conflicts'],
      },
      parse: (value) => ({ ok: true, value }),
    },
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'single',
    risk: 'medium',
    nature: [],
    reversibility: 'irreversible',
    records: [],
    maxRecords: 1,
    origins: { '': 'system' },
    facetOf: `${tool}.exec`,
    idempotency: 'key', // putting back what is back changes nothing
    timeoutMs: 120_000,
    maxAttempts: 3,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: false,
    canVerify: true,
    schemaVersion: versionOf({ id, version: VERSION }),
  }
}

function versionOf(declared: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(declared)).digest('hex')
}
