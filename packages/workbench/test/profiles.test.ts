import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { testProject } from '../src/cases/test-project.ts'

const cwd = fileURLToPath(new URL('../../cedar/profiles/', import.meta.url))
const project = fileURLToPath(new URL('../../cli/template/', import.meta.url))

/** Rules about provenance have cases of their own, and the project of the template is not what is tested here. */
const ELSEWHERE = /provenance\.cedar$|^policies\//

describe('the cases beside a profile', () => {
  test.each(['balanced', 'strict', 'observe'])('%s: all pass, and each rule has one', async (profile) => {
    const report = await testProject(project, { files: [`${profile}/${profile}.test.yaml`], cwd, profile })
    expect(report.passed).toBeGreaterThan(0)
    expect([report.failed, report.cases.length]).toEqual([0, report.passed])
    expect(report.uncovered.filter(({ file }) => !ELSEWHERE.test(file))).toEqual([])
  })
})
