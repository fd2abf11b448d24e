import { closeSync, constants, fstatSync, lchownSync, openSync, opendirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Entries that are given away at most. A larger tree is given to the user beforehand, by whoever knows what it is. */
const MAX_ADOPTED = 200_000

export interface WorkspaceRules {
  /** Who we are; 0 is root. */
  readonly uid: number
  readonly gid: number
  /** Whom commands run as when we are root, and root owns the workspace. */
  readonly fallback: { readonly uid: number; readonly gid: number }
  /** Give such a workspace to the fallback user. */
  readonly adopt: boolean
  /** Our own files, which must not lie in a workspace. */
  readonly directory: string
}

/** A workspace that can be used, open, and the user that commands run as in it. The receiver closes the descriptor. */
export type OpenedWorkspace =
  | {
      readonly kind: 'opened'
      readonly descriptor: number
      /** Of this directory and of no other one, as long as it is open. */
      readonly identity: string
      readonly user: { readonly uid: number; readonly gid: number }
    }
  | { readonly kind: 'defect'; readonly message: string }

/**
 * Opens a workspace and decides whom its commands run as: ourselves, and never root. Root runs them as the owner of the workspace, so that
 * what they write belongs to whom it should, or as the fallback user.
 */
export function openWorkspace(path: string, rules: WorkspaceRules): OpenedWorkspace {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch {
    return {
      kind: 'defect',
      message: 'the workspace is no directory that can be opened: make it, and name it itself and not a link to it',
    }
  }
  try {
    const message = contains(path, rules.directory)
      ? 'the workspace contains the files of the sandbox itself: choose another one'
      : null
    const user = message ?? chooseUser(path, descriptor, rules)
    const blocked = typeof user === 'string' || rules.uid !== 0 ? null : findBlockade(path, user)
    if (typeof user !== 'string' && blocked === null) {
      const { dev, ino } = fstatSync(descriptor, { bigint: true })
      return { kind: 'opened', descriptor, identity: `${dev}:${ino}`, user }
    }
    closeSync(descriptor)
    return {
      kind: 'defect',
      message:
        typeof user === 'string'
          ? user
          : `the user ${user.uid} cannot enter ${blocked}: allow that (chmod o+x), or move the workspace`,
    }
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

function contains(workspace: string, directory: string): boolean {
  return `${directory}/`.startsWith(`${realpathSync(workspace)}/`)
}

function chooseUser(
  path: string,
  descriptor: number,
  rules: WorkspaceRules,
): { readonly uid: number; readonly gid: number } | string {
  if (rules.uid !== 0) return { uid: rules.uid, gid: rules.gid }
  const { uid, gid } = fstatSync(descriptor)
  if (uid !== 0) return { uid, gid: gid === 0 ? rules.fallback.gid : gid }
  if (!rules.adopt) {
    return `the workspace belongs to root, and commands never run as root: give it to the user ${rules.fallback.uid} (chown -R), or run as an ordinary user`
  }
  return adopt(path, rules.fallback)
    ? rules.fallback
    : `the workspace has more than ${MAX_ADOPTED} files: give it to the user ${rules.fallback.uid} (chown -R)`
}

const MAY_ENTER = { owner: 0o100, group: 0o010, others: 0o001 } as const

/** The directory above a workspace that a user may not pass through, or null. */
function findBlockade(path: string, user: { readonly uid: number; readonly gid: number }): string | null {
  for (let directory = dirname(realpathSync(path)); ; directory = dirname(directory)) {
    const { uid, gid, mode } = statSync(directory)
    const needed = uid === user.uid ? MAY_ENTER.owner : gid === user.gid ? MAY_ENTER.group : MAY_ENTER.others
    if ((mode & needed) === 0) return directory
    if (directory === '/') return null
  }
}

/** Gives a tree to a user, links themselves and not what they lead to. Nothing runs in it yet. False when it is too large. */
function adopt(root: string, user: { readonly uid: number; readonly gid: number }): boolean {
  let left = MAX_ADOPTED
  const pending = [root]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const directory = opendirSync(path)
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        left -= 1
        if (left < 0) return false
        const child = join(path, entry.name)
        if (entry.isDirectory()) pending.push(child)
        else lchownSync(child, user.uid, user.gid)
      }
    } finally {
      directory.closeSync()
    }
    lchownSync(path, user.uid, user.gid)
  }
  return true
}
