import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { HostEnvironment } from './adapter.ts'

/** The absolute path of a program on the PATH, as a shell would find it; undefined when there is none. Nothing is started. */
export function findProgram(name: string, { env, platform }: Pick<HostEnvironment, 'env' | 'platform'>): string | undefined {
  const endings = platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue
    for (const ending of endings) {
      const candidate = join(folder, name + ending)
      if (isProgram(candidate)) return candidate
    }
  }
  return undefined
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
