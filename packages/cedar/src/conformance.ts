import { authorize, type CedarAnswer, type CompiledPolicies, type EntityStore } from '@tidegate/kernel'
import { compileAll, staticSources, validatePolicies } from './compile.ts'
import { CedarError, errorOfIssues } from './error.ts'
import { readSchemaFile } from './authorize.ts'
import { findPolicies } from './language/find-policies.ts'
import { readLinks } from './language/link.ts'
import { parseExactJson } from './language/exact-json.ts'
import { readEntities, readRequest } from './language/request-file.ts'
import { readSchemaTypes, type SchemaTypes } from './language/schema-types.ts'
import { findSuite, readSuiteFile } from './language/suite.ts'

export interface ConformanceOptions {
  /** Called after every test. */
  readonly onProgress?: (progress: ConformanceProgress) => void
  /** Run no more tests than this. */
  readonly maxTests?: number
}

export interface ConformanceProgress {
  readonly done: number
  readonly of: number
  readonly mismatches: number
}

/** One thing that came out other than the test says. */
export interface ConformanceMismatch {
  /** The file of the test, relative to the folder. */
  readonly test: string
  /** Which request of the test, from 0; undefined when it is about the policies. */
  readonly request: number | undefined
  readonly what: 'validation' | 'decision' | 'reason' | 'errors' | 'unreadable'
  readonly expected: string
  readonly actual: string
}

export interface ConformanceReport {
  readonly tests: number
  readonly requests: number
  /** Tests whose policies must not pass the validator, and do not. */
  readonly invalidAsExpected: number
  /**
   * Of these, the tests where the validator only warns that no action is applicable: an error in the version that wrote the tests, a
   * warning in ours.
   */
  readonly invalidByWarning: number
  /** Policies that failed in some request, counted per request. */
  readonly evaluationErrors: number
  readonly mismatches: readonly ConformanceMismatch[]
}

/** Part of a warning of Cedar's validator. */
const INAPPLICABLE = 'unable to find an applicable action'
/** Mismatches that a report spells out. */
const MAX_MISMATCHES = 1_000

/**
 * Runs a folder of tests in the form of the public repository of Cedar's integration tests: its root, its `tests`, or its corpus
 * unpacked.
 *
 * Each test says what the validator must say of its policies, and for each request the decision, the policies that made it, and those
 * that fail. All of it must come out. A test that cannot be read is a mismatch, never skipped. Gives the event loop a turn after every
 * test.
 *
 * @throws CedarError `conformance_suite` for a folder without tests.
 */
export async function runConformance(folder: string, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const suite = await findSuite(folder)
  const tests = suite.tests.slice(0, options.maxTests ?? suite.tests.length)
  const tally = { requests: 0, invalidAsExpected: 0, invalidByWarning: 0, evaluationErrors: 0 }
  const mismatches: ConformanceMismatch[] = []
  for (const [index, test] of tests.entries()) {
    for (const mismatch of await runTest(suite.root, test, tally))
      if (mismatches.length < MAX_MISMATCHES) mismatches.push(mismatch)
    options.onProgress?.({ done: index + 1, of: tests.length, mismatches: mismatches.length })
  }
  return { tests: tests.length, ...tally, mismatches }
}

interface Tally {
  requests: number
  invalidAsExpected: number
  invalidByWarning: number
  evaluationErrors: number
}

async function runTest(root: string, test: string, tally: Tally): Promise<readonly ConformanceMismatch[]> {
  try {
    const { fields, prepared } = await prepareTest(root, test)
    const mismatches: ConformanceMismatch[] = []
    const isWarned = prepared.validationErrors.length === 0 && prepared.inapplicable && !fields.shouldValidate
    const validates = prepared.validationErrors.length === 0 && !isWarned
    if (isWarned) tally.invalidByWarning += 1
    if (validates !== fields.shouldValidate) {
      const actual = validates ? 'valid' : prepared.validationErrors.join('; ')
      mismatches.push({ test, request: undefined, what: 'validation', expected: `valid: ${fields.shouldValidate}`, actual })
    } else if (!validates) tally.invalidAsExpected += 1
    for (const [index, request] of fields.requests.entries()) {
      tally.requests += 1
      const answer = authorize(prepared.compiled, readRequest(request.json, prepared.types), prepared.entities)
      tally.evaluationErrors += answer.errors.length
      mismatches.push(...compare(request, answer).map((difference) => ({ test, request: index, ...difference })))
    }
    return mismatches
  } catch (error) {
    if (!(error instanceof CedarError)) throw error
    return [{ test, request: undefined, what: 'unreadable', expected: 'a test', actual: error.message }]
  }
}

interface Expected {
  readonly json: unknown
  readonly decision: string
  readonly reason: readonly string[]
  readonly errors: readonly string[]
}

interface Prepared {
  readonly compiled: CompiledPolicies
  readonly types: SchemaTypes
  readonly entities: EntityStore
  readonly validationErrors: readonly string[]
  /** The validator warns that no action is applicable. */
  readonly inapplicable: boolean
}

interface TestFields {
  readonly shouldValidate: boolean
  readonly requests: readonly Expected[]
}

async function prepareTest(root: string, test: string): Promise<{ readonly fields: TestFields; readonly prepared: Prepared }> {
  const json = parseExactJson(await readSuiteFile(root, test), test, 'conformance_suite')
  const fields = fieldsOf(json)
  const named = async (name: 'policies' | 'schema' | 'entities') => {
    const file = fields[name]
    if (typeof file !== 'string') throw new CedarError('conformance_suite', `${test} names no ${name}`)
    return { file, text: await readSuiteFile(root, file) }
  }
  const [policies, schemaFile, entitiesFile] = [await named('policies'), await named('schema'), await named('entities')]
  const schema = readSchemaFile(schemaFile)
  const types = readSchemaTypes(schema)
  const found = findPolicies([policies], 'position')
  const [issue, ...issues] = found.issues
  if (issue !== undefined) throw errorOfIssues([issue, ...issues])
  const validated = validatePolicies(found.policies, found.links, schema)
  return {
    fields: { shouldValidate: fields.shouldValidate === true, requests: requestsOf(fields.requests, test) },
    prepared: {
      types,
      compiled: compileAll([...staticSources(found.policies), ...readLinks(found.links, found.policies)], types),
      entities: readEntities(parseExactJson(entitiesFile.text, entitiesFile.file, 'entities_invalid'), types),
      validationErrors: validated.errors.map(({ message }) => message),
      inapplicable: validated.warnings.some(({ message }) => message.includes(INAPPLICABLE)),
    },
  }
}

function requestsOf(json: unknown, test: string): readonly Expected[] {
  if (!Array.isArray(json)) throw new CedarError('conformance_suite', `${test} has no requests`)
  return json.map((request: unknown) => {
    const { decision, reason, errors } = fieldsOf(request)
    if (typeof decision !== 'string' || !Array.isArray(reason) || !Array.isArray(errors))
      throw new CedarError('conformance_suite', `${test}: a request needs a decision, a reason and errors`)
    return { json: request, decision: decision.toLowerCase(), reason: reason.map(String), errors: errors.map(String) }
  })
}

type Difference = Pick<ConformanceMismatch, 'what' | 'expected' | 'actual'>

function compare(expected: Expected, answer: CedarAnswer): readonly Difference[] {
  const rows: readonly (readonly [Difference['what'], string, string])[] = [
    ['decision', expected.decision, answer.decision],
    ['reason', sorted(expected.reason), sorted(answer.determining)],
    ['errors', sorted(expected.errors), sorted(answer.errors.map(({ id }) => id))],
  ]
  return rows.flatMap(([what, wanted, actual]) => (wanted === actual ? [] : [{ what, expected: wanted, actual }]))
}

function sorted(ids: readonly string[]): string {
  return ids.toSorted().join(' ')
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.fromEntries(Object.entries(json)) : {}
}
