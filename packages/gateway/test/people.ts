import { createTokenAuthenticator } from '../src/index.ts'

/** The tokens of the people of these tests. */
export const TOKENS = {
  otto: `otto-${'o'.repeat(40)}`,
  mei: `mei-${'m'.repeat(40)}`,
  dan: `dan-${'d'.repeat(40)}`,
} as const

/** Otto operates, Mei leads billing, Dan dispatches events for others. */
export const authenticate = createTokenAuthenticator([
  { person: { id: 'user:otto', roles: ['operator'] }, token: TOKENS.otto },
  { person: { id: 'user:mei', roles: ['billing-lead'] }, token: TOKENS.mei },
  { person: { id: 'user:dan', roles: ['dispatcher'] }, token: TOKENS.dan },
])
