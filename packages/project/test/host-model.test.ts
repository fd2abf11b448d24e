import type { Operation } from '@tidegate/kernel'
import { expect, test } from 'vitest'
import { configurationSchema } from '../src/configuration/schema.ts'
import { ProjectError } from '../src/error.ts'
import { readHosts } from '../src/hosts/read-hosts.ts'

const MODEL = { format: 'openai', baseUrl: 'http://127.0.0.1:8000/v1' }
const configured = (model: object) =>
  configurationSchema.safeParse({
    ...{ name: 'p', trustDomain: 'example.org', environment: 'development', tools: [], workflows: [], policies: ['p.cedar'] },
    people: [{ id: 'user:mei', roles: ['operator'] }],
    hosts: [{ name: 'claw', kind: 'mcp', operations: ['desk.*'], model }],
  })

test('the model of a host needs little', () => {
  expect(configured(MODEL).data?.hosts[0]?.model).toEqual({
    ...MODEL,
    ...{ private: false, timeout: 600_000, price: { inputPerMillion: 0, outputPerMillion: 0 } },
  })
})

test.each([
  [{ ...MODEL, format: 'other' }],
  [{ ...MODEL, apiKey: 'sk-in-the-open' }],
  [{ ...MODEL, price: { inputPerMillion: -1, outputPerMillion: 1 } }],
  [{ ...MODEL, timeout: 5 }],
  [{ ...MODEL, headers: {} }],
  [{ format: 'openai' }],
])('%j is refused', (model) => {
  expect(configured(model).success).toBe(false)
})

test('asking its model is no operation that a host is given', () => {
  const operations = [
    { id: 'desk.read', tool: 'desk' },
    { id: 'model.chat', tool: 'model', isPlanner: true },
  ] as unknown as readonly Operation[] // sound: only these members are looked at
  const { data } = configured(MODEL)
  if (data === undefined) throw new Error('the configuration is refused')
  expect(readHosts(data, operations)).toMatchObject([{ operations: ['desk.read'] }])
  const greedy = { ...data, hosts: data.hosts.map((host) => ({ ...host, operations: ['model.*'] })) }
  expect(() => readHosts(greedy, operations)).toThrow(ProjectError)
})
