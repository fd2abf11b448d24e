import type { Json } from '@tidegate/kernel'
import type { HostAnswer } from '@tidegate/runtime'
import { describe, expect, test } from 'vitest'
import { renderAnswer } from '../../src/mcp/tool-result.ts'

const doneWith = (output: Json): HostAnswer => ({ kind: 'done', run: 'r', output, findings: [], complete: true })

describe('an output', () => {
  const cases: readonly (readonly [string, Json, object])[] = [
    ['a text', 'hello', { content: [{ type: 'text', text: 'hello' }] }],
    ['data', { n: 1 }, { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } }],
    ['a list', [1, 2], { content: [{ type: 'text', text: '[1,2]' }] }],
    ['nothing', null, { content: [{ type: 'text', text: 'null' }] }],
    [
      'parts of a server behind us',
      {
        content: [
          { kind: 'text', text: 'see' },
          { kind: 'image', data: 'AAAA', mimeType: 'image/png', sizeBytes: 3, sha256: 'x' },
          { kind: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
          { kind: 'resource', uri: 'a:b', text: 't', mimeType: 'text/plain' },
          { kind: 'resource', uri: 'a:c', data: 'AAAA' },
          { kind: 'resource_link', uri: 'a:d' },
        ],
      },
      {
        content: [
          { type: 'text', text: 'see' },
          { type: 'image', data: 'AAAA', mimeType: 'image/png' },
          { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
          { type: 'resource', resource: { uri: 'a:b', text: 't', mimeType: 'text/plain' } },
          { type: 'resource', resource: { uri: 'a:c', blob: 'AAAA' } },
          { type: 'resource_link', uri: 'a:d', name: 'a:d' },
        ],
      },
    ],
    [
      'a part that was too large to pass on',
      { content: [{ kind: 'image', mimeType: 'image/png', sizeBytes: 9, sha256: 'x' }] },
      { content: [{ type: 'text', text: '{"kind":"image","mimeType":"image/png","sizeBytes":9,"sha256":"x"}' }] },
    ],
    [
      'data of a server behind us, once more as text',
      { content: [], structured: { n: 1 } },
      { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } },
    ],
    [
      'data that only looks like parts',
      { content: [{ kind: 'text', text: 'x' }], total: 1 },
      { content: [{ type: 'text' }], structuredContent: { content: [{ kind: 'text', text: 'x' }], total: 1 } },
    ],
  ]
  test.each(cases)('%s', (_, output, wanted) => {
    const result = renderAnswer(doneWith(output))
    expect(result).toMatchObject(wanted)
    expect(result.isError).toBeUndefined()
    if (!('structuredContent' in wanted)) expect(result).not.toHaveProperty('structuredContent')
  })

  test('says what was taken out and cut', () => {
    const findings = [{ path: '/a', kind: 'hidden_markup' }] as const
    const result = renderAnswer({ kind: 'done', run: 'r', output: 'x', findings, complete: false })
    expect(result.content.length).toBe(3)
    expect(result._meta).toMatchObject({ 'dev.tidegate/findings': findings, 'dev.tidegate/complete': false })
  })

  test('says what would have been, where it is only observed', () => {
    const result = renderAnswer({ ...doneWith('x'), would: { outcome: 'deny', reasons: ['too much'] } } as HostAnswer)
    expect(result._meta).toMatchObject({ 'dev.tidegate/would': { outcome: 'deny', reasons: ['too much'] } })
  })
})

describe('whatever was not done does not look like success', () => {
  const answers: readonly HostAnswer[] = [
    { kind: 'denied', run: 'r', reasons: [], failure: 'policy_denial' },
    { kind: 'pending', run: 'r', approval: 'a-1', deadlineMs: 1 },
    { kind: 'rehearsed', run: 'r', preview: null, reasons: ['new here'] },
    { kind: 'stopped', run: 'r', why: 'x' },
    { kind: 'failed', run: 'r', failure: 'defect', message: 'x' },
    { kind: 'unknown', run: 'r', message: 'x' },
    { kind: 'refused', code: 'too_busy', message: 'x' },
    { kind: 'permit', run: 'r', arguments: {} },
    { kind: 'ticket', run: 'r', arguments: {}, ticket: 'tgt1.secret' },
  ]
  test.each(answers.map((answer) => [answer.kind, answer] as const))('%s', (kind, answer) => {
    const result = renderAnswer(answer)
    expect(result.isError).toBe(true)
    expect(result._meta['dev.tidegate/answer']).toBe(kind)
    expect(result).not.toHaveProperty('structuredContent')
    expect(JSON.stringify(result)).not.toContain('tgt1.secret')
  })

  test('a call that is only wrong may be made right, one that is denied may not', () => {
    const texts = (['planning', 'policy_denial'] as const).map((failure) =>
      JSON.stringify(renderAnswer({ kind: 'denied', run: 'r', reasons: ['/a is missing'], failure })),
    )
    expect(texts[0]).toContain('Correct the arguments and call again')
    expect(texts[1]).toContain('Do not try to get there in another way')
  })

  test('reasons are cut, and not all of many are told', () => {
    const reasons = Array.from({ length: 50 }, () => 'x'.repeat(2_000))
    expect(JSON.stringify(renderAnswer({ kind: 'denied', run: 'r', reasons, failure: 'policy_denial' })).length).toBeLessThan(
      6_000,
    )
  })
})
