import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { parseArgs } from 'node:util'
import { createCredits, createInvoices, createRefunds } from './billing.ts'
import { createCalls } from './calls.ts'
import { createOutbox, createTickets } from './conversation.ts'
import { atomically, openDatabase } from './database.ts'
import { createFaultPlan } from './faults.ts'
import { DeskProblem } from './problem.ts'
import { createRoutes } from './routes.ts'
import { seed } from './seed.ts'
import { loadTicketFiles } from './ticket-files.ts'
import { createWebServer } from './web.ts'

const USAGE = `support-desk --db FILE --token-file FILE --ready-file FILE [--port N] [--seed] [--tickets DIR] [--faults] [--send-after-ms N]`

/** How long open calls may go on after a signal before their connections are cut. */
const GRACE_MS = 500

function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      db: { type: 'string' },
      'token-file': { type: 'string' },
      'ready-file': { type: 'string' },
      port: { type: 'string', default: '0' },
      tickets: { type: 'string' },
      'send-after-ms': { type: 'string', default: '600000' },
      seed: { type: 'boolean', default: false },
      faults: { type: 'boolean', default: false },
    },
  })
  const { db, 'token-file': tokenFile, 'ready-file': readyFile, tickets } = values
  if (!db || !tokenFile || !readyFile) throw new DeskProblem('options_invalid', `Usage: ${USAGE}`)
  const port = wholeNumber('--port', values.port, 65_535)
  const sendAfterMs = wholeNumber('--send-after-ms', values['send-after-ms'], 86_400_000)
  return { db, readyFile, tickets, port, sendAfterMs, token: readToken(tokenFile), seed: values.seed, faults: values.faults }
}

function wholeNumber(name: string, value: string, max: number): number {
  if (/^[0-9]{1,8}$/.test(value) && Number(value) <= max) return Number(value)
  throw new DeskProblem('options_invalid', `${name} must be a whole number from 0 to ${max}.`)
}

function readToken(file: string): string {
  const token = readFileSync(file, 'utf8').trim()
  if (/^[\x21-\x7e]{16,512}$/.test(token)) return token
  throw new DeskProblem('options_invalid', 'The token file must hold 16 to 512 visible ASCII characters and nothing else.')
}

function start(options: ReturnType<typeof parseOptions>): void {
  rmSync(options.readyFile, { force: true })
  const db = openDatabase(options.db)
  const ground = { db, now: Date.now }
  const tickets = createTickets(ground)
  const invoices = createInvoices(ground)
  const desk = {
    tickets,
    invoices,
    refunds: createRefunds(ground, invoices),
    credits: createCredits(ground, invoices),
    outbox: createOutbox(ground, tickets, options.sendAfterMs),
    calls: createCalls(ground),
    faults: options.faults ? createFaultPlan() : undefined,
  }
  atomically(db, () => {
    if (options.seed) seed(db)
    if (options.tickets !== undefined) loadTicketFiles(options.tickets, tickets)
  })
  const onDefect = (error: unknown) => complain(error)
  const server = createWebServer({ desk, routes: createRoutes(desk), db, token: options.token, onDefect })
  server.on('error', (error) => {
    complain(error)
    process.exitCode = 1
    db.close()
  })
  server.listen(options.port, '127.0.0.1', () => announce(server, options.readyFile))
  const end = () => {
    server.close(() => {
      db.close()
      rmSync(options.readyFile, { force: true })
    })
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
}

function announce(server: Server, readyFile: string): void {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  writeFileSync(`${readyFile}.${process.pid}`, JSON.stringify({ port, pid: process.pid }))
  renameSync(`${readyFile}.${process.pid}`, readyFile)
  process.stderr.write(`support-desk: ready on http://127.0.0.1:${port}\n`)
}

function complain(error: unknown): void {
  process.stderr.write(`support-desk: ${error instanceof Error ? error.message : String(error)}\n`)
}

try {
  start(parseOptions(process.argv.slice(2)))
} catch (error) {
  complain(error)
  process.exitCode = 2
}
