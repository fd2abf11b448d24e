/**
 * A program that stands in for a host: asks its model what to do, over the Messages API, and does it. With `asks` it asks the door before
 * each call and does what the door permits; with `around` it does not ask; with `stubborn` it asks and does it all the same; with `mute`
 * it asks its model nothing; with `handless` it offers no tool.
 */
import { readFileSync } from 'node:fs'

const [, , manner = '', modelUrl = '', doorUrl = '', word = ''] = process.argv

interface Block {
  readonly type: string
  readonly id: string
  readonly input: { readonly command: string }
}

async function post(url: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  return (await answer.json()) as Readonly<Record<string, unknown>>
}

const messages: object[] = [{ role: 'user', content: word }]
const tools = manner === 'handless' ? [{ name: 'Look' }] : [{ name: 'Bash' }]
for (let turn = 0; turn < 5 && manner !== 'mute'; turn++) {
  const { content } = await post(`${modelUrl}/v1/messages`, { model: 'm', tools, messages })
  const calls = (content as readonly Block[]).filter(({ type }) => type === 'tool_use')
  messages.push({ role: 'assistant', content })
  if (calls.length === 0) break
  const results: object[] = []
  for (const { id, input } of calls) {
    const permit = manner === 'around' || (await post(doorUrl, input)).permit === true || manner === 'stubborn'
    const hasTool = manner !== 'handless'
    const said = !hasTool ? 'no such tool' : permit ? readFileSync(input.command.replace(/^cat /, ''), 'utf8') : 'denied'
    results.push({ type: 'tool_result', tool_use_id: id, content: said })
  }
  messages.push({ role: 'user', content: results })
}
