import { readFileSync, statSync } from 'node:fs'
import { authorizeFiles, type PolicyFile } from '@tidegate/cedar'
import { WorkbenchError } from './error.ts'

/** Bytes of one of the files: entities may be many. */
const MAX_BYTES = 32 * 1024 * 1024

/** The files that Cedar's own `authorize` takes, as absolute paths. */
export interface RequestFiles {
  readonly policies: string
  readonly entities: string
  readonly request: string
  readonly schema?: string
}

/** What Cedar decides, and what Tidegate would make of the same policies. */
export interface AuthorizeReport {
  readonly decision: 'allow' | 'deny'
  /** The policies that made the decision, and where each stands. */
  readonly determining: readonly { readonly id: string; readonly place: string }[]
  /** Policies that could not be evaluated. Cedar leaves them out. */
  readonly errors: readonly { readonly id: string; readonly message: string }[]
  /** Tidegate denies when a policy cannot be evaluated, where Cedar skips it. */
  readonly tidegate: 'allow' | 'deny'
}

/**
 * Decides one request of Cedar's own from files, with the evaluator that decides everything here.
 *
 * @throws CedarError for anything that is wrong with a file, WorkbenchError `file_unusable` for one that cannot be read.
 */
export function authorizeRequest(files: RequestFiles): AuthorizeReport {
  const { cedar, narrow, compiled } = authorizeFiles({
    policies: [read(files.policies)],
    entities: read(files.entities),
    request: read(files.request),
    ...(files.schema === undefined ? {} : { schema: read(files.schema) }),
  })
  const places = new Map(compiled.sources.map(({ id, file, line, column }) => [id, `${file}:${line}:${column}`]))
  return {
    decision: cedar.decision,
    determining: cedar.determining.map((id) => ({ id, place: places.get(id) ?? '' })),
    errors: cedar.errors.map(({ id, message }) => ({ id, message })),
    tidegate: narrow.kind === 'permitted' ? 'allow' : 'deny',
  }
}

function read(file: string): PolicyFile {
  try {
    if (statSync(file).size <= MAX_BYTES)
      return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)) }
  } catch (cause) {
    throw new WorkbenchError('file_unusable', `${file} cannot be read as UTF-8.`, { cause })
  }
  throw new WorkbenchError('file_unusable', `${file} has more than ${MAX_BYTES} bytes.`)
}
