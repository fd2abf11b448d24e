/** Every code that {@link ConnectError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const CONNECT_ERROR_CODES = [
  'backup_broken',
  'check_failed',
  'configuration_unreadable',
  'configuration_unsupported',
  'connected_otherwise',
  'disk_full',
  'file_changed',
  'file_edited',
  'file_read_only',
  'file_unsupported',
  'file_unwritable',
  'host_unproven',
  'locked',
  'not_connected',
  'record_broken',
  'rollback_failed',
] as const

export type ConnectErrorCode = (typeof CONNECT_ERROR_CODES)[number]

/** Thrown when the configuration of a host cannot be changed or put back; the message says what to do. */
export class ConnectError extends Error {
  readonly code: ConnectErrorCode

  constructor(code: ConnectErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConnectError'
    this.code = code
  }
}
