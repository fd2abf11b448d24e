import { readFileSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { Json } from '@tidegate/kernel'
import { explainIssues, type Finding, parseYaml, writeProblem } from '@tidegate/project'
import { WorkbenchError } from '../error.ts'
import { type CaseDocument, caseFileSchema } from './case-schema.ts'

/** Bytes of a file of cases. */
const MAX_BYTES = 1_000_000
const SHOWN = 20

/** A file of cases that was read, and where its parts stand. */
export interface CaseFile {
  /** As people call it. */
  readonly file: string
  readonly document: CaseDocument
  /** A line `file:line:column: path: message` about a part of it. */
  place(finding: Finding): string
  /** From 1. */
  lineOf(caseIndex: number): number
}

/**
 * Reads a file of cases. Its author is the project's; it is checked all the same, so that a misspelt fact does not test another thing.
 *
 * @throws WorkbenchError `cases_invalid` with a line for each problem, `cases_missing` when it cannot be read.
 */
export function readCases(directory: string, path: string): CaseFile {
  const file = relative(directory, resolve(directory, path))
  const yaml = parseYaml(readBytes(resolve(directory, path), file), file)
  if (!yaml.ok) throw refuse(yaml.problems.map(writeProblem))
  const parsed = caseFileSchema.safeParse(yaml.value)
  if (!parsed.success) {
    const findings = explainIssues(parsed.error.issues, yaml.value as Json, [])
    throw refuse(findings.map((finding) => writeProblem(yaml.place(finding))))
  }
  return {
    file,
    document: parsed.data,
    place: (finding) => writeProblem(yaml.place(finding)),
    lineOf: (index) => yaml.place({ path: ['cases', index], message: '' }).line,
  }
}

/** A refusal of cases with what is wrong, line by line. */
export function refuse(lines: readonly string[]): WorkbenchError {
  const rest = lines.length > SHOWN ? [`and ${lines.length - SHOWN} more`] : []
  return new WorkbenchError('cases_invalid', `The cases are refused:\n${[...lines.slice(0, SHOWN), ...rest].join('\n')}`)
}

function readBytes(path: string, file: string): Uint8Array {
  try {
    if (statSync(path).size > MAX_BYTES)
      throw new WorkbenchError('cases_invalid', `${file} has more than ${MAX_BYTES} bytes. Split it.`)
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof WorkbenchError) throw cause
    throw new WorkbenchError('cases_missing', `The cases in ${file} cannot be read.`, { cause })
  }
}
