import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { CedarError } from '../error.ts'
import { MAX_JSON_BYTES } from './exact-json.ts'

/** A folder of tests. */
export interface Suite {
  /** What the files in tests are relative to. */
  readonly root: string
  /** The tests, relative to the root, in a fixed order. */
  readonly tests: readonly string[]
}

/** Folders that hold tests when their repository is given, and how deep they are looked through. */
const MAX_DEPTH = 6
const MAX_TESTS = 200_000
const NOT_A_TEST = /\.(?:entities|schema|cedarschema)\.json$|(?:^|[/\\])(?:entities|schema)[^/\\]*\.json$/

/**
 * Finds the tests of a folder: the root of the repository, its `tests`, or `corpus-tests` as it is unpacked, or the folder around it.
 *
 * Files in tests are named from the root of the repository, so the root is the nearest folder that makes them exist.
 *
 * @throws CedarError `conformance_suite` when there is none.
 */
export async function findSuite(folder: string): Promise<Suite> {
  const start = await realpath(folder).catch((cause: unknown) => {
    throw new CedarError('conformance_suite', `there is no folder ${folder}`, { cause })
  })
  const files = await collect(start, 0)
  const tests = files.filter((file) => file.endsWith('.json') && !NOT_A_TEST.test(file)).toSorted()
  const [first] = tests
  const root = first === undefined ? undefined : await rootOf(start, first)
  if (root === undefined)
    throw new CedarError('conformance_suite', `${folder} holds no tests: give the folder of Cedar's integration tests`)
  return { root, tests: tests.map((file) => relative(root, file)) }
}

/** Reads a file of the suite. @throws CedarError `conformance_suite` for one outside of it, too large, or not there. */
export async function readSuiteFile(root: string, file: string): Promise<string> {
  const path = resolve(root, file)
  if (!path.startsWith(root + sep)) throw new CedarError('conformance_suite', `${file} is outside of the suite`)
  try {
    if ((await stat(path)).size > MAX_JSON_BYTES) throw new CedarError('conformance_suite', `${file} is too large`)
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof CedarError) throw cause
    throw new CedarError('conformance_suite', `${file} cannot be read`, { cause })
  }
}

async function collect(folder: string, depth: number): Promise<readonly string[]> {
  const found: string[] = []
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const skipped = entry.name.startsWith('.') || (depth === 0 && entry.name === 'sample-data')
    if (entry.isDirectory() && !skipped && depth < MAX_DEPTH) found.push(...(await collect(path, depth + 1)))
    else if (entry.isFile()) found.push(path)
    if (found.length > MAX_TESTS * 4) throw new CedarError('conformance_suite', `${folder} holds too many files`)
  }
  return found
}

/** The folder, or one of those around it, from which the file that the test names exists. */
async function rootOf(start: string, test: string): Promise<string | undefined> {
  const json: unknown = JSON.parse(await readFile(test, 'utf8'))
  const named = typeof json === 'object' && json !== null && 'policies' in json ? String(json.policies) : basename(test)
  for (const root of [start, dirname(start), dirname(dirname(start)), dirname(dirname(dirname(start)))]) {
    const exists = await stat(join(root, named)).then(
      (found) => found.isFile(),
      () => false,
    )
    if (exists) return root
  }
  return undefined
}
