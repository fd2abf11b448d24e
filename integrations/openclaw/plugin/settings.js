/** The most that OpenClaw lets a hook take. */
export const HOOK_MS = 600_000
/** The longest that Tidegate lets a call wait for people. */
const MAX_WAIT_MS = 580_000
/** Four minutes: less than the time that OpenClaw gives a turn of its agent. */
const WAIT_MS = 240_000
/** How much longer the server may take to answer than people may. */
const GRACE_MS = 15_000

/**
 * Reads what stands in the host's configuration under this plugin. Whoever may edit that file controls it.
 *
 * Answers `{ ok: false, problem }` instead of throwing: a plugin that fails to load lets every call pass.
 */
export function readSettings(given) {
  const {
    endpoint,
    tokenFile,
    mode,
    waitMs = WAIT_MS,
    graceMs = GRACE_MS,
    server = 'tidegate',
    configFile,
    people = {},
  } = given ?? {}
  const url = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined) return wrong('"endpoint" is no address. Say where the server is, such as http://127.0.0.1:7443.')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return wrong('"endpoint" would send the token in the clear. Use https:, or http: to this machine.')
  }
  if (!isAbsolute(tokenFile)) return wrong('"tokenFile" is no absolute path.')
  if (configFile !== undefined && !isAbsolute(configFile)) return wrong('"configFile" is no absolute path.')
  if (mode !== undefined && mode !== 'observe' && mode !== 'enforce') return wrong('"mode" must be observe or enforce.')
  if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > MAX_WAIT_MS) {
    return wrong(`"waitMs" must be a number from 0 to ${MAX_WAIT_MS}.`)
  }
  if (!Number.isInteger(graceMs) || graceMs < 1 || waitMs + graceMs >= HOOK_MS) {
    return wrong('"graceMs" must be a number, and with "waitMs" less than ten minutes.')
  }
  if (typeof server !== 'string' || server === '') return wrong('"server" must be a name.')
  if (typeof people !== 'object' || people === null || !Object.values(people).every(isPerson)) {
    return wrong('"people" must name a person for each sender, such as "slack:U024BE7LH": "user:mei".')
  }
  return {
    ok: true,
    settings: { endpoint: url, tokenFile, mode: mode ?? 'enforce', waitMs, graceMs, server, configFile, people },
  }
}

function wrong(problem) {
  return { ok: false, problem: `The configuration of the Tidegate plugin cannot be used: ${problem}` }
}

function isLoopback(host) {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function isPerson(person) {
  return typeof person === 'string' && /^user:\S{1,195}$/.test(person)
}

function isAbsolute(path) {
  return typeof path === 'string' && /^(?:\/|[A-Za-z]:[\\/])/.test(path)
}
