import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resolveTool } from '@tidegate/tools'
import { expect, test } from 'vitest'

const GUIDE = fileURLToPath(new URL('../../../docs/guide/tools.md', import.meta.url))

test('the tool of the guide is one that loads', async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? ''
  const { resolve } = createRequire(import.meta.url)
  const directory = mkdtempSync(join(tmpdir(), 'guide-'))
  try {
    const file = join(directory, 'library.ts')
    writeFileSync(
      file,
      code.replace(/from '(@tidegate\/[a-z-]+)'/g, (_, name: string) => `from ${JSON.stringify(resolve(name))}`),
    )
    const module: unknown = await import(/* @vite-ignore */ file)
    const exported = typeof module === 'object' && module !== null && 'tool' in module ? module.tool : undefined
    const tool = resolveTool(exported, { file, settings: { baseUrl: 'https://library.example' } })
    expect(tool.operations.map(({ id }) => id)).toEqual(['library.loan.start', 'library.loan.end'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
