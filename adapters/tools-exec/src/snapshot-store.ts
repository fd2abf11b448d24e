import { createHash, randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** One thing in a workspace. `key` tells two states of a file apart without reading it. */
type Item =
  | {
      readonly kind: 'file'
      readonly mode: number
      readonly owner: readonly [uid: number, gid: number]
      readonly size: number
      readonly key: string
      readonly hash: string
    }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly mode: number }

type Manifest = Readonly<Record<string, Item>>

/** What differs between two states of a workspace. */
export interface Change {
  /** Below the workspace, with `/`. */
  readonly path: string
  readonly kind: 'added' | 'changed' | 'removed'
}

export interface SnapshotLimits {
  readonly files: number
  /** Bytes of all contents that are kept. */
  readonly bytes: number
  /** Names of directories that are left out, wherever they are: they are not taken back either. */
  readonly exclude: readonly string[]
}

/** Why a state cannot be kept. */
export class TooLarge extends Error {}

/**
 * Keeps states of one workspace below a directory: contents by their hash, and a manifest for each state.
 *
 * Works synchronously, in a thread of its own. Follows no link, and keeps none of what a link leads to. Special files are left out.
 */
export function createSnapshotStore(workspace: string, directory: string, limits: SnapshotLimits) {
  const objects = join(directory, 'objects')
  const manifests = join(directory, 'manifests')
  for (const each of [objects, manifests]) mkdirSync(each, { recursive: true, mode: 0o700 })
  let last: Manifest = {}
  const excluded = new Set(limits.exclude)

  /** Keeps the workspace as it is; answers the name of this state. */
  function take(): string {
    const manifest: Record<string, Item> = Object.create(null) as Record<string, Item>
    let files = 0
    let bytes = 0
    const walk = (below: string): void => {
      for (const entry of readdirSync(join(workspace, below), { withFileTypes: true })) {
        const path = below === '' ? entry.name : `${below}/${entry.name}`
        if (entry.isDirectory() && excluded.has(entry.name)) continue
        const item = itemAt(path)
        if (item === undefined) continue
        files++
        if (item.kind === 'file') bytes += item.size
        if (files > limits.files || bytes > limits.bytes) throw new TooLarge(tooLargeMessage(limits))
        manifest[path] = item
        if (item.kind === 'directory') walk(path)
      }
    }
    walk('')
    last = manifest
    const text = JSON.stringify(Object.fromEntries(Object.entries(manifest).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    const name = createHash('sha256').update(text).digest('hex')
    writeOnce(join(manifests, `${name}.json`), text)
    return name
  }

  function itemAt(path: string): Item | undefined {
    const full = join(workspace, path)
    const stat = lstatSync(full, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return undefined // gone in between
    const mode = Number(stat.mode & 0o7777n)
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(full) }
    if (stat.isDirectory()) return { kind: 'directory', mode }
    if (!stat.isFile()) return undefined
    const size = Number(stat.size)
    const key = `${stat.ino}.${stat.size}.${stat.mtimeNs}.${stat.ctimeNs}`
    const known = last[path]
    const owner = [Number(stat.uid), Number(stat.gid)] as const
    if (known?.kind === 'file' && known.key === key) return { ...known, mode, owner }
    if (size > limits.bytes) throw new TooLarge(tooLargeMessage(limits))
    const content = readFileSync(full)
    const hash = createHash('sha256').update(content).digest('hex')
    writeOnce(join(objects, hash.slice(0, 2), hash), content)
    return { kind: 'file', mode, owner, size, key, hash }
  }

  function read(name: string): Manifest {
    if (!/^[0-9a-f]{64}$/.test(name)) throw new Error('this is not the name of a state')
    return JSON.parse(readFileSync(join(manifests, `${name}.json`), 'utf8')) as Manifest // written by take
  }

  function diff(before: string, after: string): readonly Change[] {
    return changesBetween(read(before), read(after))
  }

  /**
   * Puts back what changed from one state to another. What is not any more as it was after that change is left alone: somebody has gone on
   * working with it, and it is named as a conflict.
   */
  function restore(before: string, after: string): { readonly restored: number; readonly conflicts: readonly string[] } {
    const [old, changed] = [read(before), read(after)]
    const now = read(take())
    const conflicts: string[] = []
    let restored = 0
    const todo = changesBetween(old, changed)
    // What was added goes first, deepest first; what comes back is made from the top down.
    const added = todo.filter(({ kind }) => kind === 'added').toReversed()
    for (const { path } of [...added, ...todo.filter(({ kind }) => kind !== 'added')]) {
      const [then, wanted, is] = [changed[path], old[path], now[path]]
      if (isSame(is, wanted)) continue
      if (!isSame(is, then) || (wanted === undefined && is?.kind === 'directory' && !isEmpty(path))) conflicts.push(path)
      else {
        put(path, wanted)
        restored++
      }
    }
    return { restored, conflicts }
  }

  function isEmpty(path: string): boolean {
    return readdirSync(join(workspace, path)).length === 0
  }

  function put(path: string, item: Item | undefined): void {
    const full = join(workspace, path)
    if (!isInside(path)) throw new Error('a part of the path is a link')
    const is = lstatSync(full, { throwIfNoEntry: false })
    if (item === undefined) {
      if (is?.isDirectory() === true) rmdirSync(full)
      else rmSync(full, { force: true })
    } else if (item.kind === 'directory') {
      if (is !== undefined && !is.isDirectory()) rmSync(full, { force: true })
      mkdirSync(full, { recursive: true })
      chmodSync(full, item.mode)
    } else {
      mkdirSync(dirname(full), { recursive: true })
      const temporary = `${full}.${randomUUID()}`
      if (item.kind === 'link') symlinkSync(item.target, temporary)
      else {
        copyFileSync(join(objects, item.hash.slice(0, 2), item.hash), temporary)
        if (process.getuid?.() === 0) chownSync(temporary, ...item.owner)
        chmodSync(temporary, item.mode)
      }
      if (is?.isDirectory() === true) rmdirSync(full)
      renameSync(temporary, full)
    }
  }

  /** No directory above a path is a link: it would lead the change elsewhere. */
  function isInside(path: string): boolean {
    const parts = path.split('/').slice(0, -1)
    return parts.every((_, i) => {
      const stat = lstatSync(join(workspace, ...parts.slice(0, i + 1)), { throwIfNoEntry: false })
      return stat === undefined || stat.isDirectory()
    })
  }

  return { take, diff, restore }
}

function changesBetween(before: Manifest, after: Manifest): readonly Change[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return paths.flatMap((path): readonly Change[] => {
    const [a, b] = [before[path], after[path]]
    if (isSame(a, b)) return []
    return [{ path, kind: a === undefined ? 'added' : b === undefined ? 'removed' : 'changed' }]
  })
}

function isSame(a: Item | undefined, b: Item | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'file' && b.kind === 'file') return a.hash === b.hash && a.mode === b.mode
  if (a.kind === 'link' && b.kind === 'link') return a.target === b.target
  return a.kind === 'directory' && b.kind === 'directory' && a.mode === b.mode
}

/** Written whole or not at all; what is there already has the same content. */
function writeOnce(file: string, content: string | Uint8Array): void {
  if (existsSync(file)) return
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomUUID()}`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, file)
}

function tooLargeMessage({ files, bytes }: SnapshotLimits): string {
  return `the workspace has more than ${files} files or ${bytes} bytes, so that its state cannot be kept; leave large directories out (exec.exclude)`
}
