import { globSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { MAX_FILE_BYTES, type PolicyFile } from '@tidegate/cedar'
import type { Configuration, Profile } from './configuration/schema.ts'
import { ProjectError } from './error.ts'
import { filesOf } from './project-files.ts'

/** Where a policy comes from: what Tidegate brings, what the project says, what is made of its limits, what is built in. */
export type PolicyLayer = 'profile' | 'project' | 'limits' | 'builtin'

/** A file of policies, and where it comes from. `file` is relative to the project, or says what made it. */
export interface ProjectPolicyFile extends PolicyFile {
  readonly layer: PolicyLayer
}

/**
 * Reads the policies that a configuration names, those of its profile first.
 *
 * @throws ProjectError `policy_invalid` for a file that is no text or too large, `configuration_invalid` when there is none.
 */
export function readPolicyFiles(
  project: string,
  { policies, profile }: Pick<Configuration, 'policies' | 'profile'>,
): readonly ProjectPolicyFile[] {
  const own = filesOf(project, policies, 'policies').map((path) => {
    const file = relative(project, path)
    return { file, text: readText(path, file), layer: 'project' as const }
  })
  return [...(profile === undefined ? [] : readProfile(profile)), ...own]
}

/** The policies of a profile. @throws ProjectError `configuration_invalid` when this installation lacks it. */
export function readProfile(profile: Profile): readonly ProjectPolicyFile[] {
  const directory = join(dirname(createRequire(import.meta.url).resolve('@tidegate/cedar')), '..', 'profiles', profile)
  const names = globSync('*.cedar', { cwd: directory }).sort()
  if (names.length === 0)
    throw new ProjectError(
      'configuration_invalid',
      `This installation has no policies of the profile ${profile}. Install it again.`,
    )
  return names.map((name) => {
    const file = `profiles/${profile}/${name}`
    return { file, text: readText(join(directory, name), file), layer: 'profile' as const }
  })
}

/** A file of policies as text. Bytes that are no text must not become replacement characters that nobody wrote. */
export function readText(path: string, file: string): string {
  let bytes: Uint8Array
  try {
    if (statSync(path).size > MAX_FILE_BYTES)
      throw new ProjectError('policy_invalid', `${file}: a policy file may have ${MAX_FILE_BYTES} bytes at most. Split it.`)
    bytes = readFileSync(path)
  } catch (cause) {
    if (cause instanceof ProjectError) throw cause
    throw new ProjectError('policy_invalid', `${file} cannot be read.`, { cause })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ProjectError('policy_invalid', `${file} is not UTF-8. Save it as such.`, { cause })
  }
}
