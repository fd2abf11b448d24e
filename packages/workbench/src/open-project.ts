import { loadConfiguration, loadProject, type Profile, PROFILES, type Project, ProjectError, suggest } from '@tidegate/project'

/**
 * Loads a project as it would run, or as it would under another profile.
 *
 * @throws ProjectError, ToolsError.
 */
export function openProject(directory: string, profile?: string): Promise<Project> {
  if (profile === undefined) return loadProject(directory)
  return loadProject(directory, { configuration: { ...loadConfiguration(directory), profile: parseProfile(profile) } })
}

/** @throws ProjectError `configuration_invalid`. */
export function parseProfile(name: string): Profile {
  const profile = PROFILES.find((known) => known === name)
  if (profile !== undefined) return profile
  throw new ProjectError('configuration_invalid', `There is no profile "${name}".${suggest(name, PROFILES)}`)
}
