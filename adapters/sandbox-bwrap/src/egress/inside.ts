import { createServer } from 'node:net'

// A program for one moment: started inside the network namespace of a sandbox (and outside of everything else that it is made of), it
// listens on the port in its one argument, hands the listening socket to its parent, and ends. The socket stays where it was made.

const server = createServer()
server.once('error', () => process.exit(1))
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1' }, () => {
  process.send?.('listening', server, {}, (error) => {
    process.exit(error === null ? 0 : 1)
  })
})
