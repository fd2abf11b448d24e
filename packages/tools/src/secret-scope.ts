import type { ConnectorCall, Json } from '@tidegate/kernel'
import { ToolsError } from './error.ts'

/** Secrets shorter than this are not looked for in answers: they would be found in innocent words. */
const MIN_LENGTH = 8

/** The secrets of one call: handed out, remembered, and kept out of everything that comes back (I8). */
export interface SecretScope {
  readonly secret: (name: string) => Promise<string>
  /** A message for people, one line, at most 500 characters, with every secret handed out so far struck out. */
  clean(text: string): string
  /** True when a value holds a secret that was handed out. */
  leaks(value: Json): boolean
}

/** Opens the secrets that an operation declares, for the duration of one call. */
export function createSecretScope(call: ConnectorCall, declared: readonly string[]): SecretScope {
  const known = new Set<string>()
  const holds = (text: string) => [...known].some((secret) => secret.length >= MIN_LENGTH && text.includes(secret))
  const leaks = (value: Json): boolean => {
    if (typeof value === 'string') return holds(value)
    if (typeof value !== 'object' || value === null) return false
    return Object.entries(value).some(([key, member]) => holds(key) || leaks(member))
  }
  return {
    async secret(name) {
      if (!declared.includes(name)) {
        const message = `asks for the secret "${name.slice(0, 64)}". List it under secrets.`
        throw new ToolsError([{ code: 'tool_secret_undeclared', where: call.operation, message }])
      }
      const value = await call.secret(name)
      if (value !== '') known.add(value)
      return value
    },
    clean(text) {
      let clean = text
      // The longest first: a secret that begins with another would leave its tail behind.
      for (const secret of [...known].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, '[secret]')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
      return clean.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 500)
    },
    leaks,
  }
}
