/** Every code that {@link GatewayError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const GATEWAY_ERROR_CODES = ['gateway_host_invalid', 'gateway_listen_failed', 'gateway_token_weak'] as const

export type GatewayErrorCode = (typeof GATEWAY_ERROR_CODES)[number]

/** Thrown when a gateway cannot be set up. What a request does wrong is answered, never thrown. */
export class GatewayError extends Error {
  readonly code: GatewayErrorCode

  constructor(code: GatewayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GatewayError'
    this.code = code
  }
}
