import type { ConnectMode, HostKind } from './adapter.ts'
import { HOST_KINDS } from './adapter.ts'

/** What was changed for one host: enough to put it back on another day, by another version. */
export interface ConnectionRecord {
  readonly v: 1
  /** `applying`: a change was begun; the files may be as before or as after. */
  readonly state: 'applying' | 'connected'
  readonly name: string
  readonly kind: HostKind
  readonly mode: ConnectMode
  readonly permit: 'host' | 'allow'
  readonly hostVersion: string
  readonly connectedAtMs: number
  /** Enforced although nothing had proved that every call comes to us. */
  readonly unproven: boolean
  /** Folders that we made, outermost first. */
  readonly directories: readonly string[]
  readonly files: readonly FileRecord[]
}

export interface FileRecord {
  readonly file: string
  /** The file behind the links, when it was changed. */
  readonly target: string
  readonly existed: boolean
  /** Hex SHA-256 of what disconnecting puts back; empty when there was no file. */
  readonly shaBefore: string
  readonly shaAfter: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeMs: number
  /** The name of the copy in the folder of the connection; empty when there was no file. */
  readonly backup: string
  readonly why: string
}

/** What `tidegate doctor --prove` found out: which ways of acting really come through our door. */
export interface ProofFile {
  readonly v: 1
  readonly name: string
  readonly kind: HostKind
  readonly hostVersion: string
  /** {@link configDigest} of the files of the detection when it was proved. */
  readonly configDigest: string
  readonly atMs: number
  readonly surfaces: readonly { readonly name: string; readonly intercepted: boolean; readonly detail?: string }[]
}

type Fields = Readonly<Record<string, (value: unknown) => boolean>>

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= 4_096
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const oneOf =
  (...words: readonly unknown[]) =>
  (value: unknown): boolean =>
    words.includes(value)
const listOf =
  (item: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.length <= 1_000 && value.every(item)

function has(fields: Fields): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([key, is]) => is((value as Readonly<Record<string, unknown>>)[key]))
}

const FILE: Fields = {
  file: isText,
  target: isText,
  existed: isFlag,
  shaBefore: isText,
  shaAfter: isText,
  mode: isCount,
  uid: isCount,
  gid: isCount,
  mtimeMs: isCount,
  backup: (value) => typeof value === 'string' && /^(?:|[0-9a-f]{64})$/.test(value),
  why: isText,
}

const RECORD: Fields = {
  v: oneOf(1),
  state: oneOf('applying', 'connected'),
  name: isText,
  kind: oneOf(...HOST_KINDS),
  mode: oneOf('observe', 'enforce'),
  permit: oneOf('host', 'allow'),
  hostVersion: isText,
  connectedAtMs: isCount,
  unproven: isFlag,
  directories: listOf(isText),
  files: listOf(has(FILE)),
}

const PROOF: Fields = {
  v: oneOf(1),
  name: isText,
  kind: oneOf(...HOST_KINDS),
  hostVersion: isText,
  configDigest: isText,
  atMs: isCount,
  surfaces: listOf(has({ name: isText, intercepted: isFlag })),
}

/** Whether a parsed value is a record of ours. */
export function isConnectionRecord(value: unknown): value is ConnectionRecord {
  return has(RECORD)(value)
}

/** Whether a parsed value is a proof. */
export function isProofFile(value: unknown): value is ProofFile {
  return has(PROOF)(value)
}
