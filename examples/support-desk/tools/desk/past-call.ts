import type { Json, JsonObject } from '@tidegate/kernel'
import type { Http, HttpCall } from '@tidegate/tools-http'

/** How to recognise a call in the desk's own memory, and what it answered as far as the memory tells. */
export interface PastCall<Arguments> {
  readonly path: (args: Arguments) => string
  readonly output: (args: Arguments) => Json
}

/**
 * Looks for a change that leaves no row of its own: the desk remembers each changing call under the reference it came with. A call
 * counts when the desk says that it succeeded; one without a status never began its work.
 */
export function lookUpPastCall<Arguments>(http: Http, { path, output }: PastCall<Arguments>) {
  return http.lookUp<Arguments>('/calls', {
    query: ({ effectId }) => ({ reference: effectId }),
    where: (item, facts) => item.method === 'POST' && item.path === path(facts.arguments) && isSuccess(item),
    output: (_item, facts) => output(facts.arguments),
  })
}

/** The same call about another record: for previews and verifications that look at several. */
export function callFor<Arguments>(call: HttpCall<unknown>, args: Arguments): HttpCall<Arguments> {
  return { ...call, arguments: args }
}

function isSuccess({ status }: JsonObject): boolean {
  return typeof status === 'number' && status >= 200 && status <= 299
}
