// Connects a host on a disk that is full, and prints what became of it. node full-disk.ts <empty directory on a small disk>
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyConnection, ConnectError, openConnections, planConnection } from '../src/index.ts'
import { createGround, fakeHost } from './fake-host.ts'

const disk = process.argv[2] ?? ''
const file = join(disk, 'settings.json')
const before = `{ "mine": "${'x'.repeat(6_000)}" }`
writeFileSync(file, before)
fill(join(disk, 'filler'))
const ground = createGround()
// The store is on another disk: it is the host's file that cannot be written.
const store = openConnections(ground.state)
let code = 'none'
try {
  await applyConnection(await planConnection(fakeHost(file), ground.request()), store, { nowMs: 1 })
} catch (error) {
  code = error instanceof ConnectError ? error.code : String(error)
}
const result = {
  code,
  same: readFileSync(file, 'utf8') === before,
  files: readdirSync(disk).toSorted(),
  records: store.list().length,
}
process.stdout.write(JSON.stringify(result))
ground.clean()

/** Writes until nothing more can be written. */
function fill(path: string): void {
  for (let size = 1; ; size += 1) {
    try {
      writeFileSync(path, 'x'.repeat(size * 1_024))
    } catch {
      return
    }
  }
}
