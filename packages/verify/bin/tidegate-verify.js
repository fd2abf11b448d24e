#!/usr/bin/env node
// Runs src/main.ts on a Node that strips types; when this one is too old, on the Node 24 that npm installed with the workspace.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import('../src/main.ts')
  process.exitCode = main(process.argv.slice(2))
} else {
  process.exitCode = runOnNode24()
}

function runOnNode24() {
  let node
  try {
    const home = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`)
    node = fileURLToPath(new URL('bin/node', `file://${home}`))
  } catch {
    process.stderr.write(`tidegate-verify needs Node 24; this is Node ${process.versions.node}.\n`)
    return 2
  }
  const result = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  return result.status ?? 2
}
