import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayNumber, isoDay, weekdayOf } from '../../src/label/calendar.ts'
import { isMoment, isNamedMoment, momentsIn } from '../../src/label/date.ts'
import { isDerived, numberOf, quantitiesIn } from '../../src/label/quantity.ts'
import { referencesIn } from '../../src/label/reference.ts'
import { canonicalText, hasPhrase, phraseText, quotedIn, stem } from '../../src/label/words.ts'

const found = table(`
  text                                         | value                     | found | why
  Send it to Bob, please.                      | bob                       | yes   | case and punctuation do not matter
  Send it to 'Bob'.                            | Bob                       | yes   | quotes are edges
  Send it to Bobby                             | Bob                       | no    | a part of a word is not the word
  pay GB29NWBK60161331926819                   | GB29NWBK6016133192681     | no    | not even most of it
  pay (GB29NWBK60161331926819).                | gb29nwbk60161331926819    | yes   | brackets are edges
  read www.a.example/x.                        | https://a.example/x/      | yes   | scheme, www and the last slash are not part of it
  read www.a.example/x                         | a.example                 | no    | a host is not an address below it
  read a.example                               | a.example/steal           | no    | nor the other way round
  mail bob@a.example                           | evil-bob@a.example        | no    | a longer address is another one
  see our site www.a.example.They wrote        | www.a.example             | yes   | a sentence ends without a space
  Tell Alice. Bob knows                        | Alice Bob                 | no    | a phrase does not reach over a full stop
  Alice's channel                              | alice                     | yes   | the genitive is not part of a name
  in #general and @bob                         | general                   | yes   | nor is the sign before a name
  call the channel general                     | the   channel             | yes   | white space is collapsed
  a                                            | .                         | no    | punctuation alone is nothing
`)

describe('finding a value in a text', () => {
  test.each(found)('$text / $value: $why', ({ text = '', value = '', found: expected }) => {
    expect(hasPhrase(phraseText([text]), canonicalText(value))).toBe(expected === 'yes')
  })

  test('law: a text contains itself, however it is wrapped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const canonical = canonicalText(text)
        fc.pre(canonical !== '')
        expect(hasPhrase(phraseText([`before, "${text}" (after)`, 'x']), canonical)).toBe(true)
      }),
    )
  })

  test('law: the canonical form of a canonical form is itself', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 12, mode: 'sentences' }), (text) => {
        expect(canonicalText(canonicalText(text))).toBe(canonicalText(text))
      }),
    )
  })

  test('a large hostile text takes linear time', () => {
    for (const part of ["'", '..', ' (', 'a.B', '<@#', 'a:/']) expect(canonicalText(part.repeat(100_000))).toBeTypeOf('string')
  })

  test('quotation marks of all kinds', () => {
    expect(quotedIn(`say "a b" and 'it's c' and “d” and \`e\` but don't`)).toEqual(['a b', "it's c", 'd', 'e'])
  })

  test.each([
    ['refunds', 'refund'],
    ['companies', 'company'],
    ['is', 'is'],
    ['class', 'class'],
    ['posting', 'post'],
  ])('the stem of %s is %s', (word, expected) => expect(stem(word)).toBe(expected))
})

const moments = table(`
  text                                  | value            | named | why
  on 2024-05-15                         | 2024-05-15       | yes   | ISO
  on May 15th, 2024                     | 2024-05-15       | yes   | month first
  on the 15th of May 2024               | 2024-05-15       | yes   | day first
  on May 15                             | 2031-05-15       | yes   | no year names any year
  on 15/05/2024                         | 2024-05-15       | yes   | only one reading
  on 04/05/2024                         | 2024-05-04       | no    | two readings are none
  on 2024-05-15                         | 2024-05-16       | no    | another day
  on 2024-05-15 at 2pm                  | 2024-05-15 14:00 | yes   | with a time
  on 2024-05-15 at 2pm                  | 2024-05-15 15:00 | no    | with another time
  on 2024-05-15 at 2pm for an hour      | 2024-05-15 15:00 | yes   | the end follows from the length
  on 2024-05-15 at noon, for 90 minutes | 2024-05-15T13:30 | yes   | so it does in minutes
  from May 15 for five nights           | 2024-05-20       | yes   | and in nights
  tomorrow                              | 2024-05-16       | no    | without a date of today it means nothing
`)

describe('dates', () => {
  test.each(moments)('$text names $value: $named, $why', ({ text = '', value = '', named }) => {
    expect(isNamedMoment(value, [momentsIn(text, [])])).toBe(named === 'yes')
  })
  test('relative words mean something once today is known', () => {
    const known = momentsIn('tomorrow at 10:00, or next Friday', ['2024-05-15'])
    expect(isNamedMoment('2024-05-16 10:00', [known])).toBe(true)
    expect(isNamedMoment('2024-05-17', [known])).toBe(true)
    expect(isNamedMoment('2024-05-19', [known])).toBe(false)
  })
  test.each(['2024-05-15', '2024-05-15 14:00', '2024-05-15T14:00:00Z'])('%s is a moment', (text) =>
    expect(isMoment(text)).toBe(true),
  )
  test.each(['today', '2024-05-15 and pay', ''])('"%s" is none', (text) => expect(isMoment(text)).toBe(false))
})

describe('the calendar', () => {
  test('law: it agrees with that of the machine', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (n) => {
        const day = new Date(n * 86_400_000)
        const iso = day.toISOString().slice(0, 10)
        expect(isoDay(n)).toBe(iso)
        expect(dayNumber(iso)).toBe(n)
        expect(weekdayOf(n)).toBe(day.getUTCDay())
      }),
      { numRuns: 2_000 },
    )
  })
  test.each(['2023-02-29', '2024-13-01', '2024-00-10', '2024-04-31', 'soon'])('%s is no day', (iso) => {
    expect(dayNumber(iso)).toBeUndefined()
  })
})

describe('numbers', () => {
  test('are read as people write them', () => {
    expect(quantitiesIn('Pay $1,200.50, 10% more, two times, not GB29 nor 2024-05-01 nor x12')).toEqual([
      { value: 1200.5, percent: false },
      { value: 10, percent: true },
      { value: 2, percent: false },
    ])
  })
  test.each([
    ['$12.00', 12],
    ['1,000', 1000],
    ['12 EUR', 12],
    [7, 7],
  ])('%s is %d', (text, value) => expect(numberOf(text)).toBe(value))
  test.each(['12 apples', '', '1e9', 'x'])('"%s" is not a number', (text) => expect(numberOf(text)).toBeUndefined())

  const derived = table(`
    task                       | books  | amount | yes | why
    send the difference to 12  | 10     | 2      | yes | a difference of a task number and a book
    10% more                   | 50     | 5      | yes | a percentage
    10% more                   | 50     | 55     | yes | the whole with it
    19.5% and a fee of 5.29    | 1000   | 200.29 | yes | and another number of the task
    share it between 4         | 100    | 25     | yes | a small count divides
    pay 12                     | 10     | 900    | no  | does not follow
    pay the bill               | 10,20  | 30     | no  | two books alone do not make an amount
    pay 12                     | 10     | -2     | no  | nothing is owed
  `)
  test.each(derived)('$task, books $books: $amount $why', ({ task = '', books = '', amount = '', yes }) => {
    expect(isDerived(Number(amount), quantitiesIn(task), books.split(',').map(Number))).toBe(yes === 'yes')
  })
})

describe('what a text points to', () => {
  test.each([
    ['see www.evil.example/x now', ['evil.example/x']],
    ['mail a@b.example', ['a@b.example']],
    ['code 482913', ['482913']],
    ['IBAN DE89370400440532013000', ['de89370400440532013000']],
    ['on 2024-05-15 at 10:30 in 2024 with 3 people', []],
    ['the 1-th most active user of the 3rd floor', []],
  ])('%s', (text, expected) => expect(referencesIn(text)).toEqual(expect.arrayContaining(expected as string[])))
  test('prose points to nothing', () => expect(referencesIn('I have seen it in the meeting room, thanks!')).toEqual([]))
  test('spaces do not hide a number', () => expect(referencesIn('call 555 123 4567')).toContain('5551234567'))
  test('what is too long to look at is not called harmless', () => expect(referencesIn('a '.repeat(20_000))).toBeUndefined())
})
