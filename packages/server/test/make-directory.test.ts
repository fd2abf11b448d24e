import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeDirectory } from '../src/state/make-directory.ts'
import { writeExport } from '../src/state/export-writer.ts'

test('makes what is missing, and answers where it began', () => {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-directory-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  expect(makeDirectory(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'))
  expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true)
  expect(makeDirectory(join(root, 'a', 'b'))).toBeUndefined()
})

// Node's own recursive mkdir never returns here: this was a way to stop the server.
test.runIf(existsSync('/proc/self'))('where nothing can be made it says so, and returns', async () => {
  expect(() => makeDirectory('/proc/tidegate/x')).toThrow()
  await expect(writeExport('/proc/tidegate', [])).rejects.toMatchObject({ code: 'state_unusable' })
})
