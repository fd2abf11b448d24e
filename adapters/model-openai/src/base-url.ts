import { ModelOpenAiError } from './error.ts'

const MAX_LENGTH = 2048

/**
 * Reads the address of an endpoint, as an operator configured it, and returns it without a slash at the end.
 *
 * `https` only, because prompts and the key travel there; `http` where they do not leave the machine: `localhost`, 127.0.0.0/8 and
 * [::1]. No user name or password, no query, no fragment. An address that is refused is not repeated in the error, for it may hold
 * a password.
 *
 * @throws ModelOpenAiError `model_base_url`
 */
export function parseBaseUrl(text: string): string {
  if (text.length > MAX_LENGTH || !URL.canParse(text)) throw refuse('is not a URL')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or a password; use apiKey for the credential')
  if (url.search !== '' || text.includes('?')) throw refuse('holds a query')
  if (url.hash !== '' || text.includes('#')) throw refuse('holds a fragment')
  if (url.protocol === 'http:') {
    if (!isLoopback(url.hostname)) throw refuse('uses http for another machine; use https, or a tunnel that ends on 127.0.0.1')
  } else if (url.protocol !== 'https:') throw refuse('is neither https nor http')
  return url.href.replace(/\/+$/, '')
}

/** The parser has already brought every spelling of an IPv4 address into four decimal parts. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}

function refuse(what: string): ModelOpenAiError {
  return new ModelOpenAiError('model_base_url', `The baseUrl of the model ${what}.`)
}
