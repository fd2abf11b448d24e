import type { DescribedPolicy, PolicyRule } from '@tidegate/kernel'
import type { ChangeDesk, ChangeRefusal, LedgerBacktest, PolicyPlan, PolicyVersion } from '@tidegate/runtime'

export const NOW_VERSION = 'ab12'.repeat(16)
export const OLD_VERSION = 'cd34'.repeat(16)

const RULE: PolicyRule = {
  id: 'no-set',
  effect: 'forbid',
  outcome: 'deny',
  approvers: [],
  reason: 'nothing is set any more',
  scope: 'principal, action == Action::"desk.set", resource',
  condition: '',
  file: 'policies/desk.cedar',
  line: 4,
  text: '@id("no-set")\nforbid (principal, action == Action::"desk.set", resource);',
}
const { text: _, ...DESCRIBED } = RULE
const ADDED: DescribedPolicy = DESCRIBED

const BACKTEST: LedgerBacktest = {
  version: NOW_VERSION,
  decided: 4_821,
  changed: 17,
  loosened: 2,
  undecidable: { erased: 3, unrecorded: 0, undeclared: 0 },
  groups: [
    {
      from: 'deny',
      to: 'allow',
      operation: 'desk.refund.create',
      policies: ['desk-runs'],
      were: ['money-on-third-party-text'],
      otherApprovers: false,
      count: 2,
      examples: [{ run: 'run-0007', action: 3, atMs: 1_000 }],
    },
  ],
  groupsLeftOut: 0,
  complete: false,
  runs: 1_203,
  durationMs: 96,
}

const VERSIONS: readonly PolicyVersion[] = [
  {
    ...{ version: NOW_VERSION, inForce: true, atMs: 2_000, index: 41, cause: 'change', by: 'user:otto', reviewers: ['user:mei'] },
    ...{ why: 'no more\u001b[31m', run: 'run-0001', previous: OLD_VERSION, files: 2 },
  },
  {
    ...{ version: OLD_VERSION, inForce: false, atMs: 1_000, index: 3, cause: 'first_start', by: 'system:start', reviewers: [] },
    ...{ why: 'the first start of this project', run: null, previous: null, files: 2 },
  },
]

/** A desk that knows two versions, refuses what says "garbage", and remembers what it was asked. */
export function createFakeChangeDesk(): ChangeDesk & {
  readonly calls: readonly { readonly name: string; readonly with: unknown }[]
} {
  const calls: { name: string; with: unknown }[] = []
  const note = (name: string, what: unknown): void => void calls.push({ name, with: what })
  const plan: PolicyPlan = {
    ...{ from: OLD_VERSION, to: NOW_VERSION, same: false, files: [{ file: 'policies/desk.cedar', change: 'changed' }] },
    diff: { added: [ADDED], removed: [], changed: [], unchanged: 4 },
    ...{ backtest: BACKTEST, approvers: [{ role: 'reviewer', count: 1 }] },
  }
  const garbage = (files: readonly { readonly text: string }[]): ChangeRefusal | undefined => {
    if (!files.some(({ text }) => text.includes('garbage'))) return undefined
    const faults = Array.from({ length: 25 }, (_each, i) => {
      return { code: 'policy_syntax', file: 'policies/desk.cedar', line: i + 1, column: 3, message: 'unexpected token' }
    })
    return { kind: 'refused', code: 'policy_refused', message: 'policies/desk.cedar:1:3: unexpected token', faults }
  }
  const nobody = (code: ChangeRefusal['code']): ChangeRefusal => ({ kind: 'refused', code, message: 'no', faults: [] })
  return {
    calls,
    plan: async (request) => {
      note('plan', request)
      return garbage(request.files) ?? { kind: 'planned', plan }
    },
    apply: async (request) => {
      note('apply', request)
      if (!request.person.roles.includes('operator')) return nobody('not_entitled')
      return garbage(request.files) ?? { kind: 'opened', run: 'run-0001', version: NOW_VERSION }
    },
    rollback: async (request) => {
      note('rollback', request)
      return request.version === 'ffffff' ? nobody('not_found') : { kind: 'opened', run: 'run-0001', version: OLD_VERSION }
    },
    versions: () => VERSIONS,
    show: (version) => {
      const found = VERSIONS.find((each) => each.version.startsWith(version ?? NOW_VERSION))
      return found === undefined
        ? undefined
        : { ...found, texts: [{ file: 'policies/desk.cedar', layer: 'project', text: RULE.text }] }
    },
    explain: async ({ run, action }) => {
      note('explain', { run, action })
      const recorded = { outcome: 'deny', policies: [{ id: 'no-set', reason: RULE.reason }], approvers: [] } as const
      const about = { operation: 'desk.set', atMs: 1_500, recorded, version: NOW_VERSION }
      const agreeing = {
        ...about,
        action: 0,
        verdict: 'agrees',
        recomputed: recorded,
        rules: [RULE],
        hints: ['no-set forbids it'],
      } as const
      const differing = { ...agreeing, action: 1, verdict: 'differs', recomputed: { ...recorded, outcome: 'allow' } } as const
      return { kind: 'explained', run, decisions: action === 0 ? [agreeing] : [agreeing, differing] }
    },
    reviewTools: () => [
      { operation: 'desk.set', version: '2', accepted: '1', before: { title: 'Set' }, after: { title: 'Set all' } },
    ],
    acceptTool: async (request) => {
      note('acceptTool', request)
      return request.operation === 'desk.set' ? { kind: 'opened', run: 'run-0001', version: '2' } : nobody('nothing_to_change')
    },
  }
}
