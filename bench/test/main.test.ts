import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

describe('the benchmark, started', () => {
  test('explains itself', async () => {
    const { code, stdout } = await bench('--help')
    expect(code).toBe(0)
    for (const word of ['actions', 'memory', 'verify', '--only', '--json']) expect(stdout).toContain(word)
  })

  test('refuses what it does not know, on stderr, with 2', async () => {
    const { code, stdout, stderr } = await bench('actions', '--only', 'temporal')
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('arguments_invalid')
  })

  test('measures the floor and prints nothing but one JSON document', async () => {
    const { code, stdout, stderr } = await bench('actions', '--json', '--only', 'floor', '--actions', '200', '--in-flight', '8')
    expect(stderr).toContain('floor')
    expect(code).toBe(0)
    const result = JSON.parse(stdout) as Record<string, Record<string, unknown>>
    expect(result.floor).toMatchObject({ name: 'floor', actions: 200, inFlight: 8, durable: 'fsync' })
    expect(result.ours).toMatchObject({ constantPolicy: { skipped: expect.any(String) }, fsyncP50Ms: null, ratioToFsync: null })
    expect(result.machine).toMatchObject({ cores: expect.any(Number), node: process.versions.node })
    expect(result).toMatchObject({ peers: [], ratio: {} })
  })
})
