import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { EvalsError } from '../error.ts'
import { type ManifestOperation, manifestSchema } from './schema.ts'

/** What is declared about the operations of a suite. */
export interface Manifest {
  readonly file: string
  readonly operations: ReadonlyMap<string, ManifestOperation>
}

const MAX_BYTES = 4 * 1024 * 1024

/**
 * Reads a manifest file, or every `*.manifest.yaml` (or `.yml`, `.json`) of a directory: suite to what is declared. Throws
 * {@link EvalsError} with file, line and path of the first mistake.
 */
export function readManifests(path: string): ReadonlyMap<string, Manifest> {
  if (!existsSync(path)) throw new EvalsError('manifest_missing', `${path} does not exist`)
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((file) => /\.manifest\.(?:ya?ml|json)$/.test(file))
        .toSorted()
        .map((file) => join(path, file))
    : [path]
  if (files.length === 0) throw new EvalsError('manifest_missing', `${path} holds no *.manifest.yaml`)
  const found = new Map<string, Manifest>()
  for (const file of files) {
    for (const [suite, operations] of readManifest(file)) {
      const other = found.get(suite)
      if (other !== undefined)
        throw new EvalsError(
          'manifest_invalid',
          `${basename(file)}: suite "${suite}" is declared in ${basename(other.file)} already`,
        )
      found.set(suite, { file, operations })
    }
  }
  return found
}

function readManifest(file: string): ReadonlyMap<string, ReadonlyMap<string, ManifestOperation>> {
  if (statSync(file).size > MAX_BYTES)
    throw new EvalsError('manifest_invalid', `${basename(file)} is larger than ${MAX_BYTES} bytes`)
  const lines = new LineCounter()
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined) {
    const line = broken.linePos?.[0].line ?? 1
    throw new EvalsError('manifest_invalid', `${basename(file)}:${line}: ${broken.message.split('\n')[0] ?? ''}`, {
      cause: broken,
    })
  }
  const parsed = manifestSchema.safeParse(plainData(document, file))
  if (parsed.success) {
    const suites = 'suites' in parsed.data ? Object.entries(parsed.data.suites) : [[parsed.data.suite, parsed.data] as const]
    return new Map(suites.map(([name, { operations }]) => [name, new Map(Object.entries(operations))]))
  }
  const { path, message } = deepest(parsed.error.issues)
  const node = document.getIn(path, true)
  const range =
    typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | undefined) : undefined
  const line = lines.linePos(range?.[0] ?? 0).line
  throw new EvalsError('manifest_invalid', `${basename(file)}:${line}: /${path.map(String).join('/')}: ${message}`)
}

/** The data of a document without aliases: they make a small file large. */
function plainData(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new EvalsError('manifest_invalid', `${basename(file)}: ${cause instanceof Error ? cause.message : 'cannot be read'}`, {
      cause,
    })
  }
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly errors?: readonly (readonly Issue[])[]
}

/** The mistake that lies deepest: of the forms that a manifest can have, the one that was meant went furthest. */
function deepest(issues: readonly Issue[]): Issue {
  const all = issues.flatMap(flatten)
  return all.toSorted((a, b) => b.path.length - a.path.length)[0] ?? { path: [], message: 'is not a manifest' }
}

function flatten(issue: Issue): readonly Issue[] {
  const inner = (issue.errors ?? []).flat().flatMap(flatten)
  return inner.length === 0 ? [issue] : inner.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
}
