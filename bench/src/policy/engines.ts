/** The engines in the order of the table. */
export const POLICY_ENGINE_NAMES = [
  'ours',
  'ours-product',
  'ours-balanced',
  'typescript',
  'cedar-wasm',
  'cedar-wasm-sliced',
  'opa-wasm',
  'opa-wasm-rules',
  'casl',
  'agt',
  'agt-sliced',
] as const

export type PolicyEngineName = (typeof POLICY_ENGINE_NAMES)[number]

/** An engine and the program that measures it, called as `<program> <name> --policies N --milliseconds T`. */
export interface PolicyContender {
  readonly name: PolicyEngineName
  /** In this folder, or in bench/peers/src if it needs {@link packages}. */
  readonly program: string
  /** Packages that must be installed in bench/peers; undefined for what is ours. */
  readonly packages?: readonly string[]
}

export const POLICY_ENGINES: readonly PolicyContender[] = POLICY_ENGINE_NAMES.map((name) => ({ name, ...programOf(name) }))

function programOf(name: PolicyEngineName): Omit<PolicyContender, 'name'> {
  switch (name) {
    case 'ours':
    case 'ours-product':
    case 'ours-balanced':
    case 'typescript':
      return { program: 'contender.ts' }
    case 'cedar-wasm':
    case 'cedar-wasm-sliced':
      return { program: 'policy-cedar-wasm.ts', packages: ['@cedar-policy/cedar-wasm'] }
    case 'opa-wasm':
    case 'opa-wasm-rules':
      return { program: 'policy-opa.ts', packages: ['@open-policy-agent/opa-wasm'] }
    case 'casl':
      return { program: 'policy-casl.ts', packages: ['@casl/ability'] }
    case 'agt':
    case 'agt-sliced':
      return { program: 'policy-agt.ts', packages: ['@microsoft/agent-governance-sdk'] }
  }
}
