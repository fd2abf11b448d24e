import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Pdp, type PdpPerson, startPdp } from './authzen-pdp.ts'

const GUIDE = readFileSync(fileURLToPath(new URL('../../docs/guide/authzen.md', import.meta.url)), 'utf8')

/** Each request of the guide, with the answer that stands below it. */
const EXAMPLES = [
  ...GUIDE.matchAll(
    /```sh\ncurl -s "\$URL(\S+)" -H "authorization: Bearer \$([A-Z]+)".*-d '([^']+)'\n```\n\n```json\n([^`]+)```/g,
  ),
].map(([, path = '', person = '', body = '', answer = '']) => ({
  path,
  as: person.toLowerCase() as PdpPerson,
  body: JSON.parse(body) as unknown,
  answer: JSON.parse(answer) as object,
}))

let pdp: Pdp
beforeAll(async () => {
  const settings = /```yaml\n([^`]+)```/.exec(GUIDE)?.[1] ?? ''
  pdp = await startPdp((text) => text.slice(0, text.indexOf('tools:')) + settings)
}, 40_000)
afterAll(() => pdp.close())

describe('docs/guide/authzen.md', () => {
  test('has examples', () => {
    expect(EXAMPLES.map(({ path }) => path)).toEqual([
      '/access/v1/evaluation',
      '/access/v1/evaluations',
      '/access/v1/search/subject',
      '/access/v1/evaluation',
    ])
  })

  test.each(EXAMPLES)('$path answers $answer', async ({ path, as, body, answer }) => {
    const answered = await pdp.ask(path, body, { as })
    expect([answered.status, answered.body]).toMatchObject([200, answer])
  })
})
