import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The releases that we support and test with, and the Node that each needs. */
export const RELEASES = {
  '2026.5.7': { node: '22', overrides: { linkedom: '0.18.12' } },
  '2026.9.6': { node: '24', overrides: {} },
} as const
export type Release = keyof typeof RELEASES

/** An installed OpenClaw. */
export interface Installed {
  readonly release: Release
  readonly node: string
  readonly program: string
}

const INSTALL_MS = 10 * 60_000

/** Installs a release from npm into a folder of its own, once. Says what it does, since it takes a minute and half a gigabyte. */
export function installOpenClaw(release: Release, cache: string): Installed {
  const { node, overrides } = RELEASES[release]
  const home = join(cache, `openclaw-${release}`)
  const runtime = join(home, 'runtime')
  const installed = {
    release,
    node: join(runtime, 'node_modules', 'node', 'bin', 'node'),
    program: join(home, 'node_modules', 'openclaw', 'openclaw.mjs'),
  }
  if (existsSync(installed.node) && existsSync(installed.program)) return installed
  console.log(`Installing OpenClaw ${release} and Node ${node} from npm into ${home} ...`)
  install(runtime, { dependencies: { node } }, process.env.PATH ?? '')
  install(
    home,
    { dependencies: { openclaw: release }, overrides },
    `${join(runtime, 'node_modules', 'node', 'bin')}:${process.env.PATH}`,
  )
  return installed
}

function install(directory: string, manifest: object, path: string): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, ...manifest }))
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], {
    cwd: directory,
    env: { ...process.env, PATH: path },
    timeout: INSTALL_MS,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm could not install into ${directory}: ${stderr.slice(-2000)}`)
}
