import { spawn } from 'node:child_process'
import { Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { EgressGate } from '@tidegate/kernel'
import { PROXY_PORT } from '../arguments.ts'
import { createEgressBroker } from './broker.ts'

/** The one opening of a sandbox: a port inside that leads to the broker outside, and nowhere else. */
export interface Door {
  close(): void
}

export interface DoorPlace {
  /** Process 1 of the sandbox, while it waits in its first user namespace. */
  readonly pid: number
  readonly asRoot: boolean
  readonly nsenter: string
  readonly gate: EgressGate
}

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url))
const OPEN_TIMEOUT_MS = 10_000

/**
 * Opens the door of a sandbox before its first command. Rejects when that fails; the sandbox must not be used then.
 *
 * The listening socket is made inside by a program of ours that ends at once, and comes to us as a descriptor. An ordinary user
 * enters through the user namespace that belongs to it; root needs no more than the network.
 */
export function openDoor(place: DoorPlace): Promise<Door> {
  const namespaces = place.asRoot ? ['--net'] : ['--user', '--net', '--preserve-credentials']
  const child = spawn(
    place.nsenter,
    ['--target', String(place.pid), ...namespaces, '--', process.execPath, INSIDE, String(PROXY_PORT)],
    {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: OPEN_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  )
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('the door of the sandbox could not be opened'))
    child.once('error', fail)
    child.once('exit', fail)
    child.once('message', (_, handle) => {
      if (!(handle instanceof Server)) return fail()
      const broker = createEgressBroker({ gate: place.gate })
      handle.on('connection', (socket: Socket) => broker.accept(socket))
      handle.on('error', () => handle.close())
      handle.unref()
      resolve({
        close: () => {
          handle.close()
          broker.close()
        },
      })
    })
  })
}
