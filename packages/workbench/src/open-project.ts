import { hostToolsOf, offlineTools } from '@tidegate/host-tools'
import { loadConfiguration, loadProject, type Profile, PROFILES, type Project, ProjectError, suggest } from '@tidegate/project'
import { builtinsOf } from './builtins.ts'

/**
 * Loads a project as it would run, or as it would under another profile.
 *
 * @throws ProjectError, ToolsError.
 */
export async function openProject(directory: string, profile?: string): Promise<Project> {
  const own = loadConfiguration(directory)
  const configuration = profile === undefined ? own : { ...own, profile: parseProfile(profile) }
  const moreTools = offlineTools(directory, configuration)
  return loadProject(directory, { configuration, builtin: builtinsOf(configuration), hostTools: hostToolsOf, moreTools })
}

function parseProfile(name: string): Profile {
  const profile = PROFILES.find((known) => known === name)
  if (profile !== undefined) return profile
  throw new ProjectError('configuration_invalid', `There is no profile "${name}".${suggest(name, PROFILES)}`)
}
