/** What one package may import. Other packages by name; `node` says which built-in modules, `vendors` which packages of others. */
export interface Room {
  readonly ours: readonly string[]
  readonly vendors: readonly string[]
  readonly node: 'any' | readonly string[]
}

const KERNEL = '@tidegate/kernel'
const PURE: readonly string[] = []

/** How HTTP is spoken, where the client of Node takes twice the time: a way, and not somebody that an adapter is for. */
export const TRANSPORT = 'undici'

/** An adapter: the kernel and at most one vendor's package, besides {@link TRANSPORT}. */
function adapter(...vendors: readonly string[]): Room {
  return { ours: [KERNEL], vendors, node: 'any' }
}

/**
 * Who may import whom in `src/`: section 4 of the design as a table. A package that is missing here fails the test, so that its row
 * is written before its code. Tests may import more, but only what their package.json declares.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  'packages/kernel': { ours: [], vendors: [], node: PURE },
  // Files are read by the conformance suite alone.
  'packages/cedar': {
    ours: [KERNEL],
    vendors: ['@cedar-policy/cedar-wasm'],
    node: ['node:crypto', 'node:fs/promises', 'node:path'],
  },
  'packages/runtime': { ours: [KERNEL], vendors: [], node: PURE },
  'packages/verify': { ours: [KERNEL], vendors: [], node: 'any' },
  'packages/witness': { ours: [KERNEL], vendors: [], node: 'any' },
  'packages/tools': { ours: [KERNEL], vendors: ['zod'], node: ['node:crypto'] },
  'packages/protocol': { ours: [KERNEL], vendors: ['zod'], node: PURE },
  'packages/gateway': { ours: [KERNEL, '@tidegate/runtime', '@tidegate/protocol'], vendors: [], node: 'any' },
  'packages/client': { ours: ['@tidegate/protocol'], vendors: [], node: ['node:http'] },
  'packages/connect': { ours: [KERNEL], vendors: [], node: 'any' },
  // The workbench and what knows single hosts are loaded lazily, by the commands that need them: the rest of the command line never does.
  'packages/cli': {
    ours: [
      '@tidegate/claude-code',
      '@tidegate/client',
      '@tidegate/connect',
      '@tidegate/openclaw',
      '@tidegate/protocol',
      '@tidegate/workbench',
    ],
    vendors: ['commander', 'yaml'],
    node: 'any',
  },
  'packages/project': {
    ours: [KERNEL, '@tidegate/cedar', '@tidegate/runtime', '@tidegate/tools'],
    vendors: ['yaml', 'zod'],
    node: 'any',
  },
  // What is declared, and nothing that could be called: the server and the workbench both have to know.
  'packages/host-tools': {
    ours: [
      KERNEL,
      '@tidegate/claude-code',
      '@tidegate/openclaw',
      '@tidegate/project',
      '@tidegate/runtime',
      '@tidegate/tools-exec',
      '@tidegate/tools-mcp',
      '@tidegate/tools-model',
      '@tidegate/tools-quickjs',
    ],
    vendors: [],
    node: 'any',
  },
  'packages/evals': { ours: [KERNEL, '@tidegate/cedar'], vendors: ['yaml', 'zod'], node: 'any' },
  'packages/workbench': {
    ours: [
      KERNEL,
      '@tidegate/cedar',
      '@tidegate/evals',
      '@tidegate/host-tools',
      '@tidegate/project',
      '@tidegate/runtime',
      '@tidegate/tools',
    ],
    vendors: ['yaml', 'zod'],
    node: 'any',
  },
  'packages/server': {
    ours: [
      KERNEL,
      '@tidegate/cedar',
      '@tidegate/connect',
      '@tidegate/gateway',
      '@tidegate/project',
      '@tidegate/protocol',
      '@tidegate/runtime',
      '@tidegate/tools',
      '@tidegate/crypto-node',
      '@tidegate/journal-sqlite',
      '@tidegate/model-openai',
      '@tidegate/sandbox-bwrap',
      '@tidegate/tools-exec',
      '@tidegate/tools-http',
      '@tidegate/tools-mcp',
      '@tidegate/tools-model',
      '@tidegate/tools-quickjs',
      '@tidegate/witness-http',
      '@tidegate/host-tools',
    ],
    vendors: ['yaml', 'zod'],
    node: 'any',
  },
  'packages/testkit': { ours: [KERNEL], vendors: ['vitest'], node: 'any' },
  'adapters/crypto-node': adapter(),
  'adapters/journal-sqlite': adapter(),
  'adapters/model-openai': adapter('@ai-sdk/openai-compatible'),
  'adapters/sandbox-bwrap': adapter(),
  'adapters/tools-exec': adapter('unbash'),
  'adapters/tools-http': adapter(TRANSPORT),
  'adapters/tools-mcp': adapter('@modelcontextprotocol/client', TRANSPORT),
  'adapters/tools-model': adapter(TRANSPORT),
  'adapters/tools-quickjs': adapter('quickjs-emscripten'),
  'adapters/witness-http': adapter(),
  'integrations/claude-code': { ours: [KERNEL, '@tidegate/connect', '@tidegate/tools'], vendors: [], node: 'any' },
  'integrations/openclaw': { ours: [KERNEL, '@tidegate/connect', '@tidegate/tools'], vendors: [], node: 'any' },
  'examples/support-desk': { ours: [KERNEL, '@tidegate/tools', '@tidegate/tools-http'], vendors: [], node: 'any' },
  sim: { ours: [KERNEL, '@tidegate/runtime', '@tidegate/testkit', '@tidegate/crypto-node'], vendors: [], node: 'any' },
  e2e: {
    ours: [
      '@tidegate/example-support-desk',
      '@tidegate/client',
      '@tidegate/connect',
      '@tidegate/openclaw',
      '@tidegate/tools',
      '@tidegate/protocol',
      '@tidegate/server',
      '@tidegate/verify',
      KERNEL,
    ],
    vendors: ['@modelcontextprotocol/client'],
    node: 'any',
  },
  bench: {
    ours: [
      KERNEL,
      '@tidegate/cedar',
      '@tidegate/crypto-node',
      '@tidegate/gateway',
      '@tidegate/journal-sqlite',
      '@tidegate/project',
      '@tidegate/runtime',
      '@tidegate/sandbox-bwrap',
      '@tidegate/tools-mcp',
      '@tidegate/verify',
    ],
    vendors: [],
    node: 'any',
  },
  tools: { ours: [], vendors: ['vitest'], node: 'any' },
}

/** The peers of the benchmarks stand outside the product: they have their own package file, lock file and rules. */
export const OUTSIDE = 'bench/peers/'

/**
 * Files that show a user what to write, and are copied or run as the user's own: `packages/cli/template` becomes a new project, and
 * `examples/support-desk/service` is the user's own system, in the user's own words (a support desk has a service).
 */
export const USERS_OWN = ['packages/cli/template/', 'examples/support-desk/service/']

/** Where controls are switched off to see that the simulator finds it (I11): reaches the modules that it breaks. */
export const BREAKS_ON_PURPOSE = 'sim/test/mutant'

/** Names that say nothing about what is inside. */
export const BANNED_NAMES = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'misc',
  'shared',
  'lib',
  'core',
  'base',
  'manager',
  'service',
  'handler',
  'impl',
]

/** The only readers of the environment, and the programs and tests that are not part of the product. */
export const READS_ENVIRONMENT =
  /^(?:packages\/(?:server|cli)\/|tools\/|sim\/src\/main\.ts$|e2e\/|bench\/(?:src\/main\.ts$|peers\/)|.*\/test\/)/

/** Licences that code which we ship may have. */
export const SHIPPED_LICENCES = [
  'Apache-2.0',
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
]

/** Licences that tools which only build and test may have besides: file-level copyleft, never distributed by us. */
export const TOOLING_LICENCES = ['MPL-2.0', 'Python-2.0', 'CC-BY-4.0', 'Zlib']

/** Tools whose package says no licence, though their repository does (modelcontextprotocol/servers: MIT, new parts Apache-2.0). Only for tests. */
export const LICENCES_LOOKED_UP: Readonly<Record<string, string>> = {
  '@modelcontextprotocol/server-everything': 'MIT OR Apache-2.0',
  '@modelcontextprotocol/server-filesystem': 'MIT OR Apache-2.0',
  '@modelcontextprotocol/server-memory': 'MIT OR Apache-2.0',
}

/** The longest source file, in lines. Longer than that, there is a second idea in it. */
export const MAX_LINES = 450
