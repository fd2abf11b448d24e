import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyConnection, createMcpAdapter, disconnect, openConnections, planConnection } from '../src/index.ts'
import { createGround, type Ground } from './fake-host.ts'

let ground: Ground
let file: string
beforeEach(() => {
  ground = createGround()
  file = join(ground.directory, '.mcp.json')
})
afterEach(() => ground.clean())

async function connect(config?: string): Promise<readonly string[]> {
  const plan = await planConnection(
    createMcpAdapter(),
    ground.request({ name: 'mcp', ...(config === undefined ? {} : { config }) }),
  )
  await applyConnection(plan, openConnections(ground.state), { nowMs: 1 })
  return plan.notes
}
const undo = () => disconnect(createMcpAdapter(), openConnections(ground.state), 'mcp', { force: false })

test('our server is added to the file of a client, without a secret, and taken out again', async () => {
  const mine = '{\n  "mcpServers": {\n    "files": { "command": "files" }\n  }\n}\n'
  writeFileSync(file, mine)
  expect(await connect()).toEqual(['Other MCP servers stay as they are, and do not come through Tidegate: files.'])
  expect(JSON.parse(readFileSync(file, 'utf8')).mcpServers.tidegate).toEqual({
    ...{ type: 'stdio', command: '/bin/node' },
    args: ['/opt/tidegate.js', 'mcp', '--host', 'mcp', '--project', ground.directory],
  })
  await undo()
  expect(readFileSync(file, 'utf8')).toBe(mine)
})

test('where there was no file there is none afterwards, also when somebody has formatted it', async () => {
  const named = join(ground.directory, 'client.json')
  await connect(named)
  writeFileSync(named, JSON.stringify(JSON.parse(readFileSync(named, 'utf8'))))
  expect((await undo()).files[0]?.outcome).toBe('cleaned')
  expect(existsSync(named)).toBe(false)
})

test('a server of our name that is not ours is not overwritten', async () => {
  writeFileSync(file, '{"mcpServers": {"tidegate": {"command": "something-else"}}}')
  await expect(connect()).rejects.toMatchObject({ code: 'configuration_unsupported' })
})
