import { z } from 'zod'
import { WIRE_LIMITS } from './limits.ts'
import { wireCount, wireId, wireLine, wireList, wireMs, wireText } from './text.ts'

/** `GET /v1/ledger/head`. `checkpoint` is a signed note (C2SP tlog-checkpoint). */
export const ledgerHeadSchema = z.object({ size: wireCount, root: wireLine, epoch: wireCount, checkpoint: wireText })
export type WireLedgerHead = z.infer<typeof ledgerHeadSchema>

/** `POST /v1/ledger/verify`: what recomputing the whole ledger found. */
export const ledgerVerificationSchema = z.object({
  verified: z.boolean(),
  size: wireCount,
  root: wireLine,
  problems: wireList(wireLine),
  durationMs: wireMs,
})
export type WireLedgerVerification = z.infer<typeof ledgerVerificationSchema>

/** `GET /v1/ledger/receipt`: of one entry by its index, or of the last entry of a run. */
export const receiptQuerySchema = z
  .strictObject({ index: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(), run: wireId.optional() })
  .refine((query) => (query.index === undefined) !== (query.run === undefined), 'name either an index or a run')

export const receiptSchema = z.object({ index: wireCount, text: wireText })
export type WireReceipt = z.infer<typeof receiptSchema>

/** `POST /v1/ledger/export`: `directory` is an absolute path on the machine of the server, empty or absent. */
export const exportRequestSchema = z.strictObject({
  directory: z
    .string()
    .max(WIRE_LIMITS.path)
    .regex(/^(?:\/|[A-Za-z]:[\\/])\P{Cc}*$/u, 'expected an absolute path'),
  payloads: z.boolean().default(false),
})
export type WireExportRequest = z.input<typeof exportRequestSchema>

export const exportAnswerSchema = z.object({ size: wireCount, files: wireCount, directory: wireText })
export type WireExportAnswer = z.infer<typeof exportAnswerSchema>
