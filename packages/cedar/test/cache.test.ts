import { expect, test } from 'vitest'
import { createAnswerCache } from '../src/cache.ts'

/** Asks for each key in turn; answers the keys that had to be computed, and how many answers are kept. */
function ask(capacity: number, keys: readonly string[]) {
  const computed: string[] = []
  const cache = createAnswerCache<string>(capacity)
  const answers = keys.map((key) =>
    cache.answer(key, () => {
      computed.push(key)
      return `answer ${key}`
    }),
  )
  expect(answers).toEqual(keys.map((key) => `answer ${key}`))
  return `${computed.join('')} ${cache.size}`
}

test.each([
  ['a question that was asked before is not computed again', 2, 'abab', 'ab 2'],
  ['the first to come is the first to go', 2, 'abcba', 'abca 2'],
  ['nothing is kept without room', 0, 'aab', 'aab 0'],
])('%s', (_why, capacity, keys, expected) => {
  expect(ask(capacity, [...keys])).toBe(expected)
})

test('a long question is answered and not kept', () => {
  expect(ask(2, ['x'.repeat(4_097)])).toMatch(/ 0$/)
  expect(ask(2, ['x'.repeat(4_096)])).toMatch(/ 1$/)
})

test('what cannot be computed is not kept', () => {
  const cache = createAnswerCache<string>(2)
  const fail = () => {
    throw new Error('no answer')
  }
  expect(() => cache.answer('a', fail)).toThrow('no answer')
  expect(cache.answer('a', () => 'now')).toBe('now')
})
