import type { Connector, Journal, Json, PolicyEngine } from '@tidegate/kernel'
import { createMemoryJournal, type Disk } from '@tidegate/testkit'
import type { Tamper } from '../src/index.ts'

const PERMITTED = { kind: 'permitted', permits: [{ id: 'all', reason: 'mutation' }] } as const

/** Bugs that sit in a port and not in the code behind it. */
export function tamperFor(name: string): Tamper {
  switch (name) {
    case 'no fence in the journal':
      return { journal: (journal) => ({ ...journal, append: ({ fence: _, ...draft }) => journal.append(draft) }) }
    case 'claims ignored':
      return { journal: (journal) => ({ ...journal, append: ({ claim: _, ...draft }) => journal.append(draft) }) }
    case 'acknowledged tail dropped':
      return { journal: dropTail }
    case 'time goes back':
      return { journal: forgetTime }
    case 'a broken policy allows':
      return {
        policy: ({ version, evaluate }) => ({
          version,
          evaluate(request) {
            try {
              const verdict = evaluate(request)
              return verdict.kind === 'broken' ? PERMITTED : verdict
            } catch {
              return PERMITTED
            }
          },
        }),
      }
    case 'limits not asked':
      return { policy: withoutLimits }
    case 'secret in the answer':
      return { connector: echoSecret }
    case 'replay executes':
      return replaying()
    default:
      return {}
  }
}

/** An engine that reads every meter as 0. */
function withoutLimits(policy: PolicyEngine): PolicyEngine {
  return {
    ...policy,
    evaluate(request) {
      const { context } = request
      const meters = Object.fromEntries(Object.keys(context.meters).map((name) => [name, 0]))
      return policy.evaluate({ ...request, context: { ...context, meters } })
    },
  }
}

function dropTail(_: Journal, disk: Disk): Journal {
  disk.entries.splice(-1)
  return createMemoryJournal(disk)
}

function forgetTime(journal: Journal, disk: Disk): Journal {
  return {
    ...journal,
    append(draft) {
      disk.atMs = 0
      return journal.append(draft)
    },
  }
}

function echoSecret(connector: Connector): Connector {
  return {
    ...connector,
    async execute(call) {
      const result = await connector.execute(call)
      return result.kind === 'done'
        ? { ...result, output: { ...(result.output as { readonly [key: string]: Json }), seen: await call.secret('token') } }
        : result
    },
  }
}

/** Whoever reads the records of a run makes its calls again. */
function replaying(): Tamper {
  let world: Connector | undefined
  return {
    connector(connector) {
      world = connector
      return connector
    },
    journal: (journal) => ({
      ...journal,
      async read(stream, afterSeq) {
        const entries = await journal.read(stream, afterSeq)
        for (const event of entries.flatMap((entry) => entry.events)) {
          if (event.type !== 'action.proposed') continue
          const call = {
            operation: event.operation,
            arguments: event.sealed.arguments,
            session: stream.slice(4),
            effectId: `${stream.slice(4)}.${event.action}`,
            attempt: 1,
            timeoutMs: 1_000,
            secret: async () => '',
          }
          world?.execute(call).catch(() => undefined)
        }
        return entries
      },
    }),
  }
}
