import { Server, type AddressInfo } from 'node:net'

// Loaded before a reference server that would listen on every address of the machine: it listens on this machine alone, and tells its port.
const listen = Server.prototype.listen
Server.prototype.listen = function (this: Server, ...given: unknown[]): Server {
  const told = given.find((each) => typeof each === 'function')
  if (typeof told === 'function') this.once('listening', () => told.call(this))
  this.once('listening', () => process.stdout.write(`port ${(this.address() as AddressInfo).port}\n`))
  return Reflect.apply(listen, this, [0, '127.0.0.1'])
} as typeof listen
