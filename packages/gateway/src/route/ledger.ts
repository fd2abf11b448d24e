import { exportRequestSchema, receiptQuerySchema } from '@tidegate/protocol'
import type { LedgerVerification, Tidegate } from '@tidegate/runtime'
import { done, refuse } from '../reply.ts'
import { type Route, route } from './route.ts'

/** Recomputing or writing out a whole ledger takes a while: a million entries about ten seconds. */
const WHOLE_LEDGER_MS = 300_000
/** An export leaves the server, possibly with what customers wrote in it. */
const EXPORTERS = ['operator', 'auditor']

/** The ledger: its head, its proofs, and the whole of it. */
export const LEDGER_ROUTES: readonly Route[] = [
  route({ method: 'GET', path: '/ledger/head', run: async ({ tidegate }) => done(tidegate.ledgerHead()) }),
  route({
    method: 'POST',
    path: '/ledger/verify',
    timeoutMs: WHOLE_LEDGER_MS,
    run: async ({ tidegate }) => {
      const answer = await verifyOnce(tidegate)
      return done({ ...answer, problems: answer.problems.slice(0, 1_000).map((problem) => problem.slice(0, 2_000)) })
    },
  }),
  route({
    method: 'GET',
    path: '/ledger/receipt',
    query: receiptQuerySchema,
    run: async ({ tidegate, query }) => {
      const of = query.index === undefined ? { run: query.run ?? '' } : { index: query.index }
      const answer = await tidegate.receipt(of)
      return answer.kind === 'not_found' ? refuse('not_found', answer.message) : done({ index: answer.index, text: answer.text })
    },
  }),
  route({
    method: 'POST',
    path: '/ledger/export',
    body: exportRequestSchema,
    timeoutMs: WHOLE_LEDGER_MS,
    run: async ({ tidegate, person, body }) => {
      if (!EXPORTERS.some((role) => person.roles.includes(role))) {
        return refuse('not_entitled', `Only these roles may export the ledger: ${EXPORTERS.join(', ')}.`)
      }
      try {
        const { size, files } = await tidegate.exportLedger(body.directory, { payloads: body.payloads })
        return done({ size, files, directory: body.directory })
      } catch (error) {
        // Whoever writes the files says so when the directory that the caller named will not do.
        if (error instanceof Error && 'code' in error && error.code === 'state_unusable')
          return refuse('directory_unusable', error.message)
        throw error
      }
    },
  }),
]

/** The verification under way, if one is: many who ask at once share one. */
const underWay = new WeakMap<Tidegate, Promise<LedgerVerification>>()

function verifyOnce(tidegate: Tidegate): Promise<LedgerVerification> {
  const known = underWay.get(tidegate)
  if (known !== undefined) return known
  const verification = tidegate.ledgerVerify().finally(() => underWay.delete(tidegate))
  underWay.set(tidegate, verification)
  return verification
}
