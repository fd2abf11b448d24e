import { readdirSync, readFileSync } from 'node:fs'
import { type PolicyContext, resolveVerdict } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { createCedarEngine, loadPolicies, type PolicyFile } from '../src/index.ts'
import { requestOf, schema } from './desk.ts'

/** The rules about risk, nature, reach and autonomy; those about provenance have tests of their own. */
function filesOf(profile: string): readonly PolicyFile[] {
  const folder = new URL(`../profiles/${profile}/`, import.meta.url)
  const names = readdirSync(folder).filter((name) => name.endsWith('.cedar') && name !== 'provenance.cedar')
  return names.map((name) => ({ file: `${profile}/${name}`, text: readFileSync(new URL(name, folder), 'utf8') }))
}

type Facts = Partial<PolicyContext>
const READ: Facts = { mutability: 'read' }
const WRITE: Facts = { mutability: 'write' }
const MEDIUM: Facts = { ...WRITE, risk: 'medium' }
const HIGH: Facts = { ...WRITE, risk: 'high' }
const CRITICAL: Facts = { ...WRITE, risk: 'critical' }
const DESTRUCTIVE: Facts = { mutability: 'destructive' }
const UNDO: Facts = { compensating: true }
const at = (hour: number, weekday: number): Facts => ({ time: { nowMs: 0, hour, weekday } })
const nature = (...natures: PolicyContext['nature']): Facts => ({ nature: natures })
const approved = (...ids: string[]): Facts => ({ approvals: ids })

/** Facts, and what becomes of the action: the outcome and the rules that are named, without the name of the profile. */
type Row = readonly [facts: readonly Facts[], outcome: string]

const rows: Readonly<Record<string, readonly Row[]>> = {
  balanced: [
    [[READ], 'allow low-runs'],
    [[WRITE], 'allow low-runs'],
    [[MEDIUM], 'allow medium-logged'],
    [[HIGH], 'ask high-asks'],
    [[HIGH, approved('balanced.high-asks')], 'allow high-supervised'],
    [[HIGH, approved('balanced.financial-asks')], 'ask high-asks'],
    [[HIGH, UNDO], 'allow compensation-runs'],
    [[CRITICAL], 'deny critical-blocked'],
    [[CRITICAL, UNDO], 'deny critical-blocked'],

    [[DESTRUCTIVE], 'ask destructive-asks'],
    [[WRITE, nature('deletion')], 'ask destructive-asks'],
    [[DESTRUCTIVE, approved('balanced.destructive-asks')], 'allow low-runs'],
    [[DESTRUCTIVE, UNDO], 'allow compensation-runs'],
    [[WRITE, nature('financial')], 'ask financial-asks'],
    [[READ, nature('financial')], 'allow low-runs'],
    [[WRITE, nature('financial'), approved('balanced.financial-asks')], 'allow low-runs'],
    [[WRITE, nature('financial'), UNDO], 'allow compensation-runs'],
    [[WRITE, nature('customer-visible', 'message')], 'allow low-runs'],
    [[MEDIUM, nature('customer-visible')], 'ask customer-visible-asks'],
    [[MEDIUM, READ, nature('customer-visible')], 'allow medium-logged'],
    [[MEDIUM, nature('customer-visible'), approved('balanced.customer-visible-asks')], 'allow medium-logged'],
    [[MEDIUM, nature('customer-visible'), UNDO], 'allow compensation-runs'],
    ...(['credential', 'sharing', 'skill', 'code'] as const).map((each): Row => [[WRITE, nature(each)], 'ask new-rights-ask']),
    [[READ, nature('code')], 'allow low-runs'],
    [[WRITE, nature('code'), approved('balanced.new-rights-ask')], 'allow low-runs'],
    [[WRITE, nature('code'), UNDO], 'allow compensation-runs'],
    [[WRITE, nature('schedule')], 'allow low-runs'],
    [[WRITE, nature('unclassified')], 'ask unclassified-asks'],
    [[WRITE, nature('unclassified'), approved('balanced.unclassified-asks')], 'allow low-runs'],
    [[WRITE, nature('unclassified'), UNDO], 'allow compensation-runs'],

    [[READ, { dataClass: 'regulated' }], 'ask sensitive-asks'],
    [[READ, { dataClass: 'secret' }], 'ask sensitive-asks'],
    [[READ, { dataClass: 'customer' }], 'allow low-runs'],
    [[READ, { dataClass: 'secret' }, approved('balanced.sensitive-asks')], 'allow low-runs'],
    [[WRITE, { dataClass: 'secret' }, UNDO], 'allow compensation-runs'],
    [[WRITE, { records: 10, blastRadius: 'batch' }], 'allow low-runs'],
    [[WRITE, { records: 11, blastRadius: 'batch' }], 'ask wide-asks'],
    [[READ, { records: 11, blastRadius: 'batch' }], 'allow low-runs'],
    [[WRITE, { blastRadius: 'cross-system' }], 'ask wide-asks'],
    [[WRITE, { blastRadius: 'admin' }], 'ask wide-asks'],
    [[WRITE, { blastRadius: 'admin' }, approved('balanced.wide-asks')], 'allow low-runs'],
    [[WRITE, { records: 11 }, UNDO], 'allow compensation-runs'],
    [[WRITE, { reversible: false }], 'ask irreversible-asks'],
    [[READ, { reversible: false }], 'allow low-runs'],
    [[WRITE, { reversible: false }, approved('balanced.irreversible-asks')], 'allow low-runs'],
    [[WRITE, { reversible: false }, UNDO], 'allow compensation-runs'],

    [[WRITE, { confidence: 8_999 }], 'dry_run unsure-tries-out'],
    [[WRITE, { confidence: 9_000 }], 'allow low-runs'],
    [[READ, { confidence: 0 }], 'allow low-runs'],
    [[WRITE, { confidence: 8_999, mode: 'dry_run' }], 'allow low-runs'],
    [[WRITE, { confidence: 8_999 }, UNDO], 'allow compensation-runs'],
    [[HIGH, { confidence: 8_999 }], 'ask high-asks unsure-tries-out'],
    [[HIGH, { confidence: 8_999 }, approved('balanced.high-asks')], 'allow high-supervised'],
    [[WRITE, { attempts: 2 }], 'allow low-runs'],
    [[READ, { attempts: 3 }], 'ask third-failure-asks'],
    [[WRITE, { attempts: 3 }, approved('balanced.third-failure-asks')], 'allow low-runs'],
    [[WRITE, { attempts: 3 }, UNDO], 'allow compensation-runs'],
    [[READ, { stage: 0 }], 'allow low-runs'],
    [[WRITE, { stage: 0 }], 'dry_run stage-shadow'],
    [[WRITE, { stage: 0, mode: 'dry_run' }], 'allow low-runs'],
    [[WRITE, { stage: 0 }, UNDO], 'allow compensation-runs'],
    [[READ, { stage: 1 }], 'allow low-runs'],
    [[WRITE, { stage: 1 }], 'deny stage-read-only'],
    [[WRITE, { stage: 1 }, UNDO], 'allow compensation-runs'],
    [[WRITE, { stage: 2 }], 'allow low-runs'],
    [[MEDIUM, { stage: 2 }], 'deny stage-low-risk-writes'],
    [[MEDIUM, READ, { stage: 2 }], 'allow medium-logged'],
    [[MEDIUM, { stage: 2 }, UNDO], 'allow compensation-runs'],
    [[MEDIUM, { stage: 3, confidence: 9_500 }], 'allow medium-logged'],
    [[MEDIUM, { stage: 3, confidence: 9_499 }], 'ask stage-conditional'],
    [[MEDIUM, { stage: 3, blastRadius: 'batch' }], 'ask stage-conditional'],
    [[MEDIUM, { stage: 3, blastRadius: 'batch' }, approved('balanced.stage-conditional')], 'allow medium-logged'],
    [[MEDIUM, { stage: 3, blastRadius: 'batch' }, UNDO], 'allow compensation-runs'],
    [[WRITE, { stage: 3, blastRadius: 'batch' }], 'allow low-runs'],
    [[MEDIUM, READ, { stage: 3, blastRadius: 'batch' }], 'allow medium-logged'],
    [[MEDIUM, { stage: 4, blastRadius: 'batch' }], 'allow medium-logged'],
  ],
  strict: [
    [[READ], 'allow low-reads-run'],
    [[READ, { risk: 'medium' }], 'allow medium-reads-logged'],
    [[READ, { risk: 'high' }], 'ask high-asks-two'],
    [[READ, { risk: 'high' }, approved('strict.high-asks-two')], 'allow supervised'],
    [[READ, { risk: 'critical' }], 'deny critical-blocked'],
    [[WRITE], 'ask writes-ask'],
    [[WRITE, approved('strict.writes-ask')], 'allow supervised'],
    [[HIGH], 'ask high-asks-two writes-ask'],
    [[HIGH, approved('strict.writes-ask')], 'ask high-asks-two'],
    [[HIGH, UNDO], 'allow compensation-runs'],
    [[CRITICAL], 'deny critical-blocked writes-ask'],

    [[DESTRUCTIVE], 'ask grave-asks-two writes-ask'],
    [[WRITE, nature('financial')], 'ask grave-asks-two writes-ask'],
    [[READ, nature('financial')], 'allow low-reads-run'],
    [[WRITE, nature('financial'), approved('strict.writes-ask')], 'ask grave-asks-two'],
    [[WRITE, nature('financial'), approved('strict.writes-ask', 'strict.grave-asks-two')], 'allow supervised'],
    [[WRITE, nature('financial'), UNDO], 'allow compensation-runs'],
    [[WRITE, nature('unclassified')], 'deny unclassified-blocked writes-ask'],
    [[WRITE, nature('unclassified'), UNDO], 'allow compensation-runs'],

    [[READ, { dataClass: 'regulated' }], 'ask regulated-asks'],
    [[READ, { dataClass: 'regulated' }, approved('strict.regulated-asks')], 'allow low-reads-run'],
    [[WRITE, { dataClass: 'regulated' }, UNDO], 'allow compensation-runs'],
    [[READ, { dataClass: 'secret' }], 'deny secret-blocked'],
    [[WRITE, { records: 11 }], 'deny wide-blocked writes-ask'],
    [[WRITE, { records: 10 }], 'ask writes-ask'],
    [[READ, { records: 11 }], 'allow low-reads-run'],
    [[WRITE, { blastRadius: 'admin' }], 'deny wide-blocked writes-ask'],
    [[WRITE, { blastRadius: 'admin' }, UNDO], 'allow compensation-runs'],
    [[WRITE, { reversible: false }], 'ask irreversible-asks-two writes-ask'],
    [[READ, { reversible: false }], 'allow low-reads-run'],
    [[WRITE, { reversible: false }, UNDO], 'allow compensation-runs'],
    [[WRITE, { reversible: false }, approved('strict.writes-ask', 'strict.irreversible-asks-two')], 'allow supervised'],
    [[WRITE, at(6, 1), approved('strict.writes-ask')], 'dry_run out-of-hours-tries-out'],
    [[WRITE, at(7, 1), approved('strict.writes-ask')], 'allow supervised'],
    [[WRITE, at(18, 5), approved('strict.writes-ask')], 'allow supervised'],
    [[WRITE, at(19, 5), approved('strict.writes-ask')], 'dry_run out-of-hours-tries-out'],
    [[WRITE, at(12, 6), approved('strict.writes-ask')], 'dry_run out-of-hours-tries-out'],
    [[WRITE, at(12, 6), approved('strict.writes-ask'), { mode: 'dry_run' }], 'allow supervised'],
    [[WRITE, at(12, 7), UNDO], 'allow compensation-runs'],
    [[READ, at(12, 7)], 'allow low-reads-run'],

    [[WRITE, { confidence: 8_999 }, approved('strict.writes-ask')], 'dry_run unsure-tries-out'],
    [[WRITE, { confidence: 9_000 }, approved('strict.writes-ask')], 'allow supervised'],
    [[WRITE, { confidence: 8_999, mode: 'dry_run' }, approved('strict.writes-ask')], 'allow supervised'],
    [[WRITE, { confidence: 8_999 }, UNDO], 'allow compensation-runs'],
    [[READ, { confidence: 5_000 }], 'allow low-reads-run'],
    [[READ, { confidence: 4_999 }], 'ask unsure-reads-ask'],
    [[READ, { confidence: 4_999 }, approved('strict.unsure-reads-ask')], 'allow low-reads-run'],
    [[READ, { confidence: 4_999 }, UNDO], 'allow compensation-runs low-reads-run'],
    [[READ, { attempts: 2 }], 'ask second-failure-asks'],
    [[READ, { attempts: 1 }], 'allow low-reads-run'],
    [[READ, { attempts: 2 }, approved('strict.second-failure-asks')], 'allow low-reads-run'],
    [[WRITE, { attempts: 2 }, UNDO], 'allow compensation-runs'],
    [[WRITE, { stage: 0 }, approved('strict.writes-ask')], 'dry_run stage-shadow'],
    [[WRITE, { stage: 0, mode: 'dry_run' }, approved('strict.writes-ask')], 'allow supervised'],
    [[WRITE, { stage: 0 }, UNDO], 'allow compensation-runs'],
    [[READ, { stage: 0 }], 'allow low-reads-run'],
    [[WRITE, { stage: 1 }], 'deny stage-read-only writes-ask'],
    [[READ, { stage: 1 }], 'allow low-reads-run'],
    [[WRITE, { stage: 1 }, UNDO], 'allow compensation-runs'],
    [[WRITE, { stage: 2 }], 'ask writes-ask'],
    [[MEDIUM, { stage: 2 }], 'deny stage-low-risk-writes writes-ask'],
    [[MEDIUM, { stage: 3 }], 'deny stage-low-risk-writes writes-ask'],
    [[MEDIUM, { stage: 4 }], 'ask writes-ask'],
    [[MEDIUM, READ, { stage: 2 }], 'allow medium-reads-logged'],
    [[MEDIUM, { stage: 2 }, UNDO], 'allow compensation-runs'],
  ],
  observe: [
    [[READ], 'allow runs'],
    [[READ, { risk: 'critical' }], 'allow runs'],
    [[WRITE], 'allow runs'],
    [[DESTRUCTIVE], 'allow runs'],
    [[MEDIUM], 'dry_run tries-out'],
    [[CRITICAL], 'dry_run tries-out'],
    [[MEDIUM, { mode: 'dry_run' }], 'allow would-run'],
    [[MEDIUM, UNDO], 'allow would-run'],
  ],
}

function outcomesOf(profile: string, files: readonly PolicyFile[]): readonly string[] {
  const engine = createCedarEngine({ policies: files, schema })
  return (rows[profile] ?? []).map(([facts]) => {
    const { outcome, policies } = resolveVerdict(engine.evaluate(requestOf(Object.assign({}, ...facts) as Facts)), 'v')
    return [outcome, ...policies.map(({ id }) => id.replace(`${profile}.`, ''))].join(' ')
  })
}

describe.each(Object.keys(rows))('%s', (profile) => {
  const files = filesOf(profile)
  const policies = loadPolicies(files, schema)
  const intact = outcomesOf(profile, files)
  const without = (id: string, change: (text: string) => string): readonly string[] => {
    return outcomesOf(
      profile,
      policies.map((policy) => ({ file: policy.id, text: policy.id === id ? change(policy.text) : policy.text })),
    )
  }

  test.each((rows[profile] ?? []).map(([facts, outcome], index) => ({ facts, outcome, index })))(
    '$facts: $outcome',
    ({ outcome, index }) => {
      expect(intact[index]).toBe(outcome)
    },
  )

  test.each(policies)('a row changes without $id', ({ id }) => {
    expect(without(id, () => '')).not.toEqual(intact)
  })

  test('and without any part of a condition', () => {
    const parts = policies.flatMap(({ id, text }) =>
      [
        ' || context.mode == "dry_run"',
        'context.compensating || ',
        ' && context.mutability != "read"',
        'context.mutability != "read" && ',
        ' || !context.approvals.isEmpty()',
      ]
        .filter((part) => text.includes(part))
        .map((part) => ({ id, part })),
    )
    expect(parts.length).toBeGreaterThan(0)
    expect(parts.filter(({ id, part }) => `${without(id, (text) => text.replace(part, ''))}` === `${intact}`)).toEqual([])
  })

  test('every rule has the name of its profile and a reason in words, and only operators are asked', () => {
    for (const { id, reason, approvers } of policies) {
      expect([id, reason.split(' ').length > 2]).toEqual([expect.stringMatching(`^${profile}\\.`), true])
      expect(approvers.filter(({ role }) => role !== 'operator')).toEqual([])
    }
  })
})
