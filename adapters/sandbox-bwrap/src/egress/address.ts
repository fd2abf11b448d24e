import { isIP } from 'node:net'

/** An address and a port as one text; an IPv6 address in brackets. */
export function endpointText(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
