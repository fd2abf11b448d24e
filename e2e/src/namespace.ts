import { spawnSync } from 'node:child_process'

/** Why a test that mounts something cannot be run here; undefined when it can. */
export function noMountsBecause(): string | undefined {
  if (process.platform !== 'linux') return 'mount namespaces are a thing of Linux'
  const { status, error } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
  return status === 0 && error === undefined ? undefined : 'a private mount namespace needs the right to mount (root)'
}

/** Runs a command in a mount namespace of its own, after `mount` commands; it keeps the process id, and nobody else sees the mounts. */
export function withMounts(...mounts: readonly (readonly string[])[]): readonly string[] {
  // `mount` takes one mount per process, so a shell strings them together; every word is quoted.
  return mounts.length === 0
    ? []
    : [
        'unshare',
        '-m',
        'sh',
        '-c',
        `${mounts.map((args) => `mount ${args.map(quoted).join(' ')}`).join(' && ')} && exec "$@"`,
        'sh',
      ]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
