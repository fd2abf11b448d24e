import { expect, test } from 'vitest'
import { callOf, startHost } from './host-bench.ts'

test.each(['desk_wipe', 'unnamed_tool', 'constructor'])(
  'a call of %s, which nobody declared, is denied and recorded',
  async (operation) => {
    const host = await startHost()
    const answer = await host.desk.perform(callOf({ operation }), { waitMs: 2_000 })
    expect(answer).toMatchObject({ kind: 'denied' })
    expect(JSON.stringify(answer)).toContain('tidegate:undeclared-operation')
    const entries = await host.journal.read(`run/${'run' in answer ? answer.run : ''}`)
    expect(JSON.stringify(entries)).toContain('tidegate:undeclared-operation')
    expect(host.connector).toMatchObject({ done: [] })
  },
)
