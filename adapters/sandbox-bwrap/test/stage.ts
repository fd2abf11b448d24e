import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Sandbox,
  SandboxCommand,
  SandboxEnded,
  SandboxLimits,
  SandboxResult,
  SandboxSession,
  SandboxSpec,
} from '@tidegate/kernel'
import { expect } from 'vitest'
import { createBwrapSandbox, DEFAULT_SANDBOX_LIMITS } from '../src/index.ts'

/** A sandbox with a place of its own, for one file of tests. */
export interface Stage {
  readonly directory: string
  readonly sandbox: Sandbox
  makeWorkspace(): string
  open(spec?: Partial<Omit<SandboxSpec, 'limits'>> & { readonly limits?: Partial<SandboxLimits> }): Promise<SandboxSession>
  close(): Promise<void>
}

export function createStage(): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-sandbox-'))
  // Workspaces have to be reachable for whom commands run as.
  mkdirSync(join(directory, 'scratch'))
  allowEntry(directory)
  const sandbox = createBwrapSandbox({ directory: join(directory, 'scratch'), adoptWorkspace: true })
  const makeWorkspace = (): string => mkdtempSync(join(directory, 'workspace-'))
  return {
    directory,
    sandbox,
    makeWorkspace,
    open: async (spec = {}) => {
      const limits = { ...DEFAULT_SANDBOX_LIMITS, wallMs: 10_000, ...spec.limits }
      const workspace = spec.workspace ?? makeWorkspace()
      const opening = await sandbox.open({ id: 'test', readOnly: [], environment: {}, egress: null, ...spec, workspace, limits })
      if (opening.kind === 'refused') throw new Error(opening.message)
      return opening.session
    },
    close: async () => {
      await sandbox.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function allowEntry(directory: string): void {
  chmodSync(directory, 0o711)
  chmodSync(join(directory, 'scratch'), 0o711)
}

/** What a command said, as text. */
export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command that ends by itself. */
export async function say(
  session: SandboxSession,
  command: SandboxCommand['command'],
  rest: Partial<SandboxCommand> = {},
): Promise<Said> {
  const { exitCode, stdout, stderr } = ended(await session.run({ command, ...rest }))
  return { code: exitCode, out: text(stdout), err: text(stderr) }
}

export function ended(result: SandboxResult): SandboxEnded {
  expect(result).toMatchObject({ kind: 'ended' })
  if (result.kind !== 'ended') throw new Error('unreachable: the line before has failed')
  return result
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
