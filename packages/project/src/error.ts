/** Every code that {@link ProjectError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const PROJECT_ERROR_CODES = [
  'configuration_invalid',
  'host_invalid',
  'limits_invalid',
  'policy_invalid',
  'project_missing',
  'tool_unusable',
  'workflow_invalid',
] as const

export type ProjectErrorCode = (typeof PROJECT_ERROR_CODES)[number]

/** Thrown when a project is not one that can be run: nothing is started with what is only partly understood. */
export class ProjectError extends Error {
  readonly code: ProjectErrorCode

  constructor(code: ProjectErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProjectError'
    this.code = code
  }
}
