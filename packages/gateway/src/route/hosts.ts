import {
  HOST_BODY_BYTES,
  HOST_WAIT_MS,
  hostCallSchema,
  hostHeardSchema,
  hostHelloSchema,
  hostReportSchema,
  observedQuerySchema,
  WIRE_LIMITS,
  type WireHostAnswer,
} from '@tidegate/protocol'
import type { HostAnswer, HostDesk, HostNotice, HostTools } from '@tidegate/runtime'
import { clip, done, type Reply, refuse } from '../reply.ts'
import { type Route, route } from './route.ts'

/** How agents that are not ours come in. */
export interface HostGround {
  readonly desk: HostDesk
  /** Tells which host holds a token; undefined when none does. Must take the same time whatever the token is. */
  readonly authenticate: (token: string) => { readonly host: string; readonly tickets: boolean } | undefined
  /** The tools that a host brings itself; undefined for one that has none. */
  readonly toolsOf: (host: string) => Pick<HostTools, 'operationOf'> | undefined
  /** What is to be noticed about a host; nothing unless told. */
  readonly noticesOf?: (host: string) => readonly HostNotice[]
}

/** What hosts ask: about their calls, and nothing else. Their tokens open nothing else either. */
export function hostRoutes({ desk, toolsOf, noticesOf = () => [] }: HostGround): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/host/hello',
      forHosts: true,
      body: hostHelloSchema,
      run: async ({ host, body, version }) => {
        const { hostVersion, pluginVersion, configDigest, surfaces, others } = body
        const view = desk.hello({
          host,
          ...(hostVersion === undefined ? {} : { hostVersion }),
          ...(pluginVersion === undefined ? {} : { pluginVersion }),
          ...(configDigest === undefined ? {} : { configDigest }),
          ...(surfaces === undefined ? {} : { surfaces }),
          ...(others === undefined ? {} : { others }),
        })
        if (view === undefined) return noHost()
        return done({ host, mode: view.mode, tickets: view.tickets, serverVersion: version })
      },
    }),
    route({
      method: 'POST',
      path: '/host/heard',
      forHosts: true,
      body: hostHeardSchema,
      run: async ({ host, body: { session, text, from } }) => {
        await desk.heard({ host, session, text, from })
        return done({})
      },
    }),
    route({
      method: 'POST',
      path: '/host/calls',
      forHosts: true,
      body: hostCallSchema,
      maxBodyBytes: HOST_BODY_BYTES,
      timeoutMs: HOST_WAIT_MS + 30_000,
      run: async ({ host, body, gone }) => {
        const { session, call, tool, arguments: args, person, goal, cwd, by, waitMs } = body
        const named =
          by === 'host' ? toolsOf(host)?.operationOf(tool, args, cwd === undefined ? {} : { cwd }) : ownTool(desk, host, tool)
        const request = {
          ...{ host, session, call, by, operation: named?.operation ?? tool, arguments: named?.arguments ?? args },
          ...(person === undefined ? {} : { person }),
          ...(goal === undefined ? {} : { goal }),
        }
        const answer = await desk.call(request, { waitMs, signal: gone })
        return renderAnswer(answer, desk.hosts().find(({ name }) => name === host)?.mode ?? 'enforce')
      },
    }),
    route({
      method: 'POST',
      path: '/host/reports',
      forHosts: true,
      body: hostReportSchema,
      maxBodyBytes: HOST_BODY_BYTES,
      run: async ({ host, body: { session, call, ok, output, error, truncated } }) => {
        const known = desk.report({
          ...{ host, session, call, ok },
          ...(output === undefined ? {} : { output }),
          ...(error === undefined ? {} : { error }),
          ...(truncated === undefined ? {} : { truncated }),
        })
        return done({ known })
      },
    }),
    route({
      method: 'GET',
      path: '/hosts',
      run: async () => done({ hosts: desk.hosts().map((view) => ({ ...view, notices: noticesOf(view.name) })) }),
    }),
    route({
      method: 'GET',
      path: '/hosts/observed',
      query: observedQuerySchema,
      timeoutMs: 120_000,
      run: async ({ query: { host, sinceMs } }) => {
        const report = await desk.observed({
          ...(host === undefined ? {} : { host }),
          ...(sinceMs === undefined ? {} : { sinceMs }),
        })
        return done({
          ...report,
          groups: report.groups.slice(0, WIRE_LIMITS.items).map((group) => ({ ...group, reason: clip(group.reason) })),
        })
      },
    }),
  ]
}

/** What people are told where the project lists no host. */
export const NO_HOST_ROUTES: readonly Route[] = [
  route({ method: 'GET', path: '/hosts', run: async () => done({ hosts: [] }) }),
  route({
    method: 'GET',
    path: '/hosts/observed',
    query: observedQuerySchema,
    run: async () => done({ calls: 0, outcomes: { allow: 0, dry_run: 0, ask: 0, deny: 0 }, groups: [], isCut: false }),
  }),
]

/** The operation behind the name that we show for one of our own tools. */
function ownTool(
  desk: HostDesk,
  host: string,
  tool: string,
): { readonly operation: string; readonly arguments?: undefined } | undefined {
  const found = desk.offered(host).find(({ id }) => id === tool || id.replaceAll('.', '_') === tool)
  return found === undefined ? undefined : { operation: found.id }
}

function noHost(): Reply {
  return refuse('not_found', 'The project does not list this host any more.')
}

/** An answer on the wire. */
function renderAnswer(answer: HostAnswer, mode: 'observe' | 'enforce'): Reply {
  switch (answer.kind) {
    case 'refused':
      return refuse(answer.code === 'unknown_host' ? 'not_found' : REFUSALS[answer.code], answer.message)
    case 'permit':
    case 'ticket':
    case 'done':
    case 'denied':
    case 'rehearsed':
    case 'failed':
    case 'unknown': {
      const { kind, ...rest } = answer
      return wire({ answer: kind, mode, ...clipped(rest) } as unknown as WireHostAnswer)
    }
    case 'stopped':
      return wire({ answer: 'stopped', run: answer.run, mode, message: answer.why })
    case 'pending': {
      const { run, approval, deadlineMs } = answer
      const message = `People are asked (${approval}) and have not answered. Try exactly this again later.`
      return wire({ answer: 'pending', run, mode, approval, deadlineMs, message })
    }
  }
}

const REFUSALS = { too_busy: 'too_busy', invalid_call: 'invalid_input', not_recorded: 'storage_failed' } as const

function wire(answer: WireHostAnswer): Reply {
  return done(answer)
}

function clipped<T extends object>(answer: T): T {
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => {
      if (key === 'message') return [key, clip(String(value))]
      return [key, key === 'reasons' && Array.isArray(value) ? value.map((reason) => clip(String(reason))) : value]
    }),
  ) as T // sound: only texts are made shorter
}
