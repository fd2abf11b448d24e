import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Copied when they are there: how libraries are found, which program a name means, whom to trust, what time it is. No secrets. */
const COPIED = [
  'ld.so.cache',
  'alternatives',
  'ssl/certs',
  'ssl/openssl.cnf',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
  'ca-certificates',
  'localtime',
  'mime.types',
  'services',
  'protocols',
  'login.defs',
  'fonts',
]

/** Directories in which Java keeps what its own directory below /usr only links to. */
const JAVA = /^java(?:-\d{1,3}-openjdk)?$/

/** Copied files are as small as these; a bigger one is something else. */
const MAX_COPIED_BYTES = 16_777_216

/** Makes the `/etc` that commands see: one user, no names of hosts, and copies of what programs cannot run without. */
export function makeEtc(directory: string, source = '/etc'): void {
  mkdirSync(directory, { recursive: true })
  const java = existsSync(source) ? readdirSync(source).filter((name) => JAVA.test(name)) : []
  for (const name of [...COPIED, ...java]) copy(join(source, name), join(directory, name))
  const files = {
    hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
    'resolv.conf': 'nameserver 127.0.0.1\noptions attempts:1 timeout:1\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
    'host.conf': 'multi on\n',
    hostname: 'sandbox\n',
    shells: '/bin/sh\n/bin/bash\n',
    // A workspace often belongs to somebody else than the user inside.
    gitconfig: '[safe]\n\tdirectory = *\n',
  }
  for (const [name, text] of Object.entries(files)) writeForEverybody(join(directory, name), text)
  if ((statSync(directory).mode & 0o055) !== 0o055) letEverybodyEnter(directory)
}

function writeForEverybody(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o644)
}

/** Lets everybody enter the directories below one, where our own umask forbade that: the user inside is not always ours. */
function letEverybodyEnter(directory: string): void {
  chmodSync(directory, 0o755)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) letEverybodyEnter(join(directory, entry.name))
  }
}

/** Names the user inside; the numbers are those that files in the workspace show. */
export function writeUser(directory: string, user: { readonly uid: number; readonly gid: number }): void {
  const { uid, gid } = user
  const passwd = `root:x:0:0:root:/root:/bin/false\nagent:x:${uid}:${gid}:agent:/workspace:/bin/bash\n`
  writeForEverybody(join(directory, 'passwd'), passwd)
  writeForEverybody(join(directory, 'group'), `root:x:0:\nagent:x:${gid}:\n`)
}

/** Copies links as links, and files with their mode: what was not for everybody still is not. What we cannot read is left out. */
function copy(from: string, to: string): void {
  try {
    const status = statSync(from, { throwIfNoEntry: false })
    if (status === undefined || (status.isFile() && status.size > MAX_COPIED_BYTES)) return
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to, { recursive: true, verbatimSymlinks: true })
  } catch (cause) {
    if (!isDenied(cause)) throw cause
  }
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM')
}
