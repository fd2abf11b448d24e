import { createHash } from 'node:crypto'
import type { Clock, JsonObject, Operation, OperationId } from '@tidegate/kernel'
import type { McpDesk, McpHost } from './desk.ts'
import { inputSchemaOf, note } from './tool-schema.ts'

/** A tool as `tools/list` shows it. */
export interface McpTool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: JsonObject
  readonly annotations: JsonObject
}

/** What one host may use, in the order of the names. */
export interface Offer {
  /** Changes whenever a tool comes, goes or is declared anew. */
  readonly fingerprint: string
  tool(name: string): Operation | undefined
  /** One page; undefined when the cursor is not one of this offer. */
  page(cursor: string | undefined): { readonly tools: readonly McpTool[]; readonly nextCursor?: string } | undefined
}

const PAGE = 250
const MAX_TITLE = 120
const MAX_DESCRIPTION = 2_000

/**
 * Tells what each host is offered. The desk says what that is; an offer is built once and used as long as the desk answers the same
 * operations.
 */
export function createCatalogue(desk: Pick<McpDesk, 'offered'>): (host: McpHost) => Offer {
  const known = new Map<string, { readonly operations: readonly Operation[]; readonly offer: Offer }>()
  return ({ host, tickets }) => {
    const key = `${tickets ? 't' : '-'}${host}`
    const operations = desk.offered(host)
    const before = known.get(key)
    if (before !== undefined && isSame(before.operations, operations)) return before.offer
    const offer = createOffer(operations, { tickets })
    known.set(key, { operations: [...operations], offer })
    return offer
  }
}

/** What a tool is called that no operation can be, in the ledger. */
const UNNAMED = 'unnamed_tool'

/**
 * Tells which operation a host means. What was offered a moment ago is looked at, since to ask the desk means to ask policy about every
 * tool; whether a call may happen is decided when it is made.
 *
 * A name that is not offered is answered as itself, without a dot: no operation is ever called so, and nothing that a host is not offered,
 * such as what a wide operation is narrowed to, can be called by its id.
 */
export function createNaming(
  offerOf: (host: McpHost) => Offer,
  clock: Pick<Clock, 'nowMs'>,
  keptMs: number,
): (host: McpHost, name: string) => OperationId {
  const known = new Map<string, { readonly offer: Offer; readonly atMs: number }>()
  return (host, name) => {
    const nowMs = clock.nowMs()
    const kept = known.get(host.host)
    const isFresh = kept !== undefined && Math.abs(nowMs - kept.atMs) < keptMs
    const operation = isFresh ? kept.offer.tool(name) : undefined
    if (operation !== undefined) return operation.id
    const offer = offerOf(host)
    known.set(host.host, { offer, atMs: nowMs })
    return offer.tool(name)?.id ?? (/^[\w./-]{1,128}$/.test(name) ? name.replaceAll(/[./]/g, '_') : UNNAMED)
  }
}

/** The name of an operation among the tools: `desk.ticket.read` is `desk_ticket_read`. */
export function toolNameOf(id: string): string {
  return id.replaceAll('.', '_')
}

function isSame(before: readonly Operation[], now: readonly Operation[]): boolean {
  return before.length === now.length && before.every((operation, i) => operation === now[i])
}

function createOffer(operations: readonly Operation[], options: { readonly tickets: boolean }): Offer {
  const named = Map.groupBy(operations, ({ id }) => toolNameOf(id))
  // Two operations of one name: neither is offered, since nobody could say which was meant.
  const sorted = [...named].flatMap(([name, [first, second]]): [string, Operation][] =>
    first === undefined || second !== undefined ? [] : [[name, first]],
  )
  sorted.sort(([a], [b]) => (a < b ? -1 : 1))
  const byName = new Map(sorted)
  const hash = createHash('sha256')
  for (const [name, { schemaVersion }] of sorted) hash.update(`${name}\n${schemaVersion}\n`)
  const fingerprint = hash.digest('base64url').slice(0, 16)
  let tools: readonly McpTool[] | undefined
  return {
    fingerprint,
    tool: (name) => byName.get(name),
    page(cursor) {
      tools ??= sorted.map(([name, operation]) => renderTool(name, operation, options))
      const from = cursor === undefined ? 0 : offsetOf(cursor, fingerprint)
      if (from === undefined || (from > 0 && from >= tools.length)) return undefined
      const next = from + PAGE
      const page = { tools: tools.slice(from, next) }
      return next < tools.length ? { ...page, nextCursor: `${next}.${fingerprint}` } : page
    },
  }
}

function offsetOf(cursor: string, fingerprint: string): number | undefined {
  const [, offset, of] = /^([1-9]\d{0,6})\.([\w-]{16})$/.exec(cursor) ?? []
  return offset !== undefined && of === fingerprint && Number(offset) % PAGE === 0 ? Number(offset) : undefined
}

/** What it does to the world is what its owner declared here, never what a server behind us says of itself. */
function renderTool(name: string, operation: Operation, options: { readonly tickets: boolean }): McpTool {
  const { mutability, idempotency, flow } = operation
  const title = note(operation.title, MAX_TITLE)
  return {
    name,
    title,
    description: note(operation.description, MAX_DESCRIPTION),
    inputSchema: inputSchemaOf(operation.input.jsonSchema, options),
    annotations: {
      title,
      readOnlyHint: mutability === 'read',
      destructiveHint: mutability === 'destructive',
      idempotentHint: mutability === 'read' || idempotency === 'key',
      ...(flow?.egress === 'none' ? { openWorldHint: false } : {}),
    },
  }
}
