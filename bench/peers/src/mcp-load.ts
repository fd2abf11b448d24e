import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { parseArgs } from 'node:util'
import { quantile, round } from '../../src/load.ts'
import { parseCount } from '../../src/child-arguments.ts'
import { installedVersion } from './installed-version.ts'

const { values, positionals } = parseArgs({
  options: {
    url: { type: 'string' },
    tool: { type: 'string', default: 'echo' },
    calls: { type: 'string', default: '2000' },
    'in-flight': { type: 'string', default: '16' },
    seconds: { type: 'string', default: '5' },
  },
  allowPositionals: true,
})
const calls = parseCount('--calls', values.calls, 1_000_000)
const inFlight = parseCount('--in-flight', values['in-flight'], 1_000)
const windowMs = parseCount('--seconds', values.seconds, 600) * 1_000
const WARM = 2_000

/** The client of the SDK, as hosts have it; over HTTP, or over the pipes of a server that it starts itself. */
async function connect(): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1' })
  const [command, ...args] = positionals
  const token = process.env.MCP_TOKEN
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }
  const transport =
    values.url === undefined
      ? new StdioClientTransport({ command: command ?? '', args, stderr: 'ignore' })
      : new StreamableHTTPClientTransport(new URL(values.url), { requestInit })
  await client.connect(transport)
  return client
}

let n = 0
/** One call, whose answer must be that of the tool. */
async function call(client: Client): Promise<number> {
  n += 1
  const message = `message ${n}`
  const startedMs = performance.now()
  const result = await client.callTool({ name: values.tool, arguments: { message } })
  const tookMs = performance.now() - startedMs
  if (result.isError === true || !JSON.stringify(result.content).includes(message))
    throw new Error(`The tool did not answer as it should: ${JSON.stringify(result).slice(0, 300)}`)
  return tookMs
}

function summarise(latenciesMs: readonly number[], tookMs: number) {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  return {
    calls: sorted.length,
    perSecond: round((sorted.length / tookMs) * 1_000, 1),
    p50Ms: round(quantile(sorted, 0.5), 3),
    p99Ms: round(quantile(sorted, 0.99), 3),
  }
}

async function drive(client: Client, lanes: number, most: number) {
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  const lane = async (): Promise<void> => {
    while (latenciesMs.length < most && performance.now() - startedMs < windowMs) latenciesMs.push(await call(client))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return summarise(latenciesMs, performance.now() - startedMs)
}

const client = await connect()
for (let i = 0; i < WARM; i += 1) await call(client)
const one = await drive(client, 1, calls)
for (let i = 0; i < 3; i += 1) await Promise.all(Array.from({ length: inFlight }, () => call(client)))
const many = await drive(client, inFlight, Number.POSITIVE_INFINITY)
console.log(JSON.stringify({ one, many, inFlight, client: installedVersion('@modelcontextprotocol/client') }))
await client.close()
process.exit(0)
