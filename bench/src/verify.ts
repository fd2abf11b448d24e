import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSigningKey, nodeHasher, signerOf } from '@tidegate/crypto-node'
import {
  createExporter,
  createVerifierKey,
  encodeVerifierKey,
  type ExportFile,
  signCheckpoint,
  createFrontier,
  leafHash,
} from '@tidegate/kernel'
import { verifyExport } from '@tidegate/verify'
import { intentEntry } from './entry.ts'
import { parseCount } from './child-arguments.ts'
import { round } from './load.ts'

/** Writes an export of so many entries, and verifies it as an auditor would: from its files alone. */
const { values } = parseArgs({ options: { entries: { type: 'string', default: '1000000' } } })
const entries = parseCount('--entries', values.entries, 100_000_000)
const directory = mkdtempSync(join(tmpdir(), 'tidegate-verify-'))
try {
  writeExport(directory)
  const before = process.cpuUsage()
  const startedMs = performance.now()
  const verdict = verifyExport(directory)
  const { user, system } = process.cpuUsage(before)
  const cpuSeconds = round((user + system) / 1_000_000, 2)
  const wallSeconds = round((performance.now() - startedMs) / 1_000, 2)
  console.log(
    JSON.stringify({
      entries,
      verdict: verdict.kind,
      cpuSeconds,
      wallSeconds,
      perCpuSecond: Math.round(entries / cpuSeconds),
      rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    }),
  )
  if (verdict.kind !== 'verified') process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function writeExport(into: string): void {
  const signer = signerOf('bench.example/log', createSigningKey())
  const exporter = createExporter(nodeHasher)
  const frontier = createFrontier(nodeHasher)
  for (let i = 0; i < entries; i++) {
    const entry = intentEntry('run', i)
    frontier.append(leafHash(nodeHasher, entry))
    for (const file of exporter.add(entry)) write(into, file)
  }
  const checkpoint = signCheckpoint(
    nodeHasher,
    { origin: signer.name, size: entries, root: frontier.root(), extensions: [] },
    signer,
  )
  const verifierKey = encodeVerifierKey(
    createVerifierKey(nodeHasher, { name: signer.name, algorithm: 'ed25519', publicKey: signer.publicKey }),
  )
  for (const file of exporter.finish({ checkpoint, verifierKey })) write(into, file)
}

function write(into: string, { path, bytes }: ExportFile): void {
  const file = join(into, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}
