import { parentPort, workerData } from 'node:worker_threads'
import { type CedarSchema, checkPolicies } from '@tidegate/cedar'
import type { PolicyText } from '@tidegate/kernel'

// The other end of policy-thread.ts: checks one set, answers, and ends.
const { texts, schema } = workerData as { readonly texts: readonly PolicyText[]; readonly schema: CedarSchema }
parentPort?.postMessage(checkPolicies(texts, schema))
