import { Server } from 'node:net'

/**
 * Loaded before a server of others that would listen on all interfaces: a port alone means the loopback here. Nothing of such a server
 * is changed but the address that it is reached at.
 */
const listen = Server.prototype.listen
Server.prototype.listen = function onLoopback(this: Server, ...args: unknown[]) {
  const [port, next] = args
  const isBarePort = (typeof port === 'number' || typeof port === 'string') && typeof next !== 'string'
  return Reflect.apply(listen, this, isBarePort ? [Number(port), '127.0.0.1', ...args.slice(1)] : args)
} as typeof listen
