import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { readMcpServers } from '../../src/mcp/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'project-mcp-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const HEAD = `name: test
trustDomain: example.org
environment: development
people: [{ id: 'user:ann', roles: [operator] }]
tools: []
workflows: []
policies: [policies/a.cedar]
secrets: { files-token: { env: FILES_TOKEN } }
`

function read(mcp: string) {
  writeFileSync(join(directory, 'tidegate.yaml'), `${HEAD}${mcp}`)
  return readMcpServers(directory, loadConfiguration(directory))
}

test('a project without MCP servers has none', () => {
  expect(read('')).toEqual([])
})

test('servers of both kinds, with what is not said filled in', () => {
  writeFileSync(join(directory, 'files.yaml'), 'tools: { wipe: { hidden: true } }')
  const servers = read(`mcp:
  - name: files
    stdio: { command: ./bin/files, args: [--all], env: { TOKEN: { secret: files-token }, MODE: { value: quiet } }, cwd: data }
    overlay: files.yaml
    protocol: '2025'
    start: lazy
    recheck: 5m
  - name: far
    title: Far away
    http: { url: 'https://mcp.example.org/mcp', headers: { authorization: { secret: files-token, prefix: 'Bearer ' } } }
`)
  const times = { startTimeoutMs: 20_000, timeoutMs: 30_000 }
  expect(servers).toEqual([
    {
      ...{ name: 'files', overlay: { wipe: { hidden: true } }, protocol: '2025', start: 'lazy', recheckMs: 300_000, ...times },
      transport: {
        ...{ kind: 'stdio', command: join(directory, 'bin/files'), args: ['--all'], cwd: join(directory, 'data') },
        env: { TOKEN: { secret: 'files-token' }, MODE: { value: 'quiet' } },
      },
    },
    {
      ...{ name: 'far', title: 'Far away', overlay: {}, protocol: 'auto', start: 'eager', recheckMs: 60_000, ...times },
      transport: {
        ...{ kind: 'http', url: 'https://mcp.example.org/mcp' },
        headers: { authorization: { secret: 'files-token', prefix: 'Bearer ' } },
      },
    },
  ])
})

describe('refused are', () => {
  test.each([
    { mcp: 'mcp: [{ name: a }]', says: 'Write either "stdio" (a program to start) or "http" (an address).' },
    { mcp: 'mcp: [{ name: a, stdio: { command: a }, http: { url: "https://a" } }]', says: 'Write either "stdio"' },
    { mcp: 'mcp: [{ name: tidegate, stdio: { command: a } }]', says: 'the name of Tidegate itself' },
    { mcp: 'mcp: [{ name: A, stdio: { command: a } }]', says: 'Expected lower-case letters' },
    { mcp: 'mcp: [{ name: a, stdio: { command: "npx -y a" } }]', says: 'Expected one program' },
    { mcp: 'mcp: [{ name: a, http: { url: "http://example.org/" } }]', says: 'begins with https://' },
    { mcp: 'mcp: [{ name: a, http: { url: "https://u:p@example.org/" } }]', says: 'without a password' },
    { mcp: 'mcp: [{ name: a, stdio: { command: a, env: { TOKEN: plain } } }]', says: 'Expected {secret: name}' },
    {
      mcp: 'mcp: [{ name: a, stdio: { command: a, env: { TOKEN: { secret: file-token } } } }]',
      says: 'Did you mean "files-token"?',
    },
    { mcp: 'mcp: [{ name: a, stdio: { command: a }, overlay: none.yaml }]', says: 'This overlay cannot be read' },
    { mcp: 'mcp: [{ name: a, stdio: { command: a } }, { name: a, stdio: { command: b } }]', says: 'the same name' },
    { mcp: 'mcp: [{ name: a, stdio: { comand: a } }]', says: 'Did you mean "command"?' },
  ])('$mcp', ({ mcp, says }) => {
    expect(() => read(mcp)).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', message: expect.stringContaining(says) }),
    )
  })
})
