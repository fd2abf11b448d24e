import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function bench(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout })
    })
  })
}

test('policy --quick measures ours in children of its own, decides all as the reference does, and prints one JSON document', async () => {
  const { code, stdout } = await bench('policy', '--quick', '--json')
  const result = JSON.parse(stdout) as { rows: Record<string, unknown>[]; ratio: Record<string, Record<string, number>> }
  expect(code).toBe(0)
  expect(result).toMatchObject({ sizes: [10, 100], timerUs: expect.any(Number), machine: { node: process.versions.node } })
  const rows = [10, 100].flatMap((policies) =>
    ['ours', 'ours-product', 'typescript'].map((name) => ({
      ...{ name, policies, checked: 1_000, mismatches: 0, explained: true },
      version: expect.any(String),
      notes: expect.any(String),
      perCpuSecond: expect.any(Number),
      p50Us: expect.any(Number),
      p99Us: expect.any(Number),
      decisions: expect.any(Number),
      loadMs: expect.any(Number),
      memoryMb: expect.any(Number),
      rssMb: expect.any(Number),
    })),
  )
  expect(result.rows).toEqual(rows)
  expect(Object.keys(result.ratio)).toEqual(['ours-product', 'typescript'])
  expect(Object.keys(result.ratio.typescript ?? {})).toEqual(['10', '100'])
}, 60_000)

test('policy is explained', async () => {
  const { stdout } = await bench('--help')
  for (const word of ['policy', '--sizes', '--quick', 'cedar-wasm', 'casl']) expect(stdout).toContain(word)
})
