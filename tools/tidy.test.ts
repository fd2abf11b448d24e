import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf, withoutComments } from './tidy/code.ts'
import { cyclesIn } from './tidy/cycles.ts'
import {
  BANNED_NAMES,
  BREAKS_ON_PURPOSE,
  MAX_LINES,
  OUTSIDE,
  READS_ENVIRONMENT,
  ROOMS,
  LICENCES_LOOKED_UP,
  SHIPPED_LICENCES,
  TOOLING_LICENCES,
  USERS_OWN,
  TRANSPORT,
} from './tidy/house.ts'
import { isLicensed } from './tidy/licence.ts'
import { jsonOf, repositoryFiles, ROOT, textOf } from './tidy/tree.ts'

// The rules of this repository, as tests. A rule that does not hold is a defect of the code or of the rule: change one of them.

interface Source {
  readonly path: string
  readonly room: string
  readonly code: string
}

interface Manifest {
  readonly name?: string
  readonly private?: boolean
  readonly license?: string
  readonly licenses?: readonly { readonly type: string }[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Locked {
  readonly link?: boolean
  readonly dev?: boolean
  readonly resolved?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const files = repositoryFiles()
const isCode = (path: string): boolean => /\.(?:ts|js|mjs|cjs)$/.test(path)
const startsWithAny = (path: string, prefixes: readonly string[]): boolean => prefixes.some((prefix) => path.startsWith(prefix))
const roomOf = (path: string): string =>
  /^(?:packages|adapters|integrations|examples)\//.test(path) ? path.split('/').slice(0, 2).join('/') : (path.split('/')[0] ?? '')
const isTest = (path: string): boolean => /\/test\/|\.test\.ts$/.test(path)

const sources: readonly Source[] = files
  .filter(({ path }) => isCode(path) && path.includes('/') && !path.startsWith(OUTSIDE))
  .map(({ path }) => ({ path, room: roomOf(path), code: withoutComments(textOf(path)) }))
const shipped = sources.filter(({ path }) => !isTest(path) && !startsWithAny(path, USERS_OWN))
const manifests = files
  .filter(({ segments, path }) => segments.at(-1) === 'package.json' && !path.startsWith(OUTSIDE))
  .map(({ path }) => ({ path, manifest: jsonOf<Manifest>(path) }))
const locked = Object.entries(jsonOf<{ readonly packages: Readonly<Record<string, Locked>> }>('package-lock.json').packages)

/** `node:fs`, `@scope/name` or `name`: what the specifier is a part of. */
function packageOf(specifier: string): string {
  return specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
}

/** The file that a relative import means. */
function targetOf(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier)
}

describe('the reader of sources', () => {
  test('sees imports, and none in comments and templates', () => {
    const source = `
import { a } from './a.ts' // import { b } from './b.ts'
import type {
  C,
} from 'c'
export * from './d.ts'
import './e.ts'
const text = \`
import { f } from './f.ts'
\`
const pattern = /['"\`]/.test(text) ? await import('./g.ts') : undefined
type H = import('./h.ts').H
export const from = 'i'
`
    expect(importsOf(source)).toEqual([
      { specifier: './a.ts', binds: true, typesOnly: false },
      { specifier: 'c', binds: true, typesOnly: true },
      { specifier: './d.ts', binds: true, typesOnly: false },
      { specifier: './e.ts', binds: false, typesOnly: false },
      { specifier: './g.ts', binds: true, typesOnly: false },
      { specifier: './h.ts', binds: true, typesOnly: false },
    ])
  })

  test('finds the repository', () => {
    expect(sources.length).toBeGreaterThan(200)
    expect(manifests.length).toBeGreaterThan(15)
    expect(locked.length).toBeGreaterThan(50)
  })
})

describe('the house (design, section 4)', () => {
  test('every package has a row in the import table, and every row a package', () => {
    const rooms = [...new Set(sources.map(({ room }) => room))]
    expect(rooms.toSorted()).toEqual(Object.keys(ROOMS).toSorted())
  })

  test('a package imports only what its row says', () => {
    const strangers = shipped.flatMap(({ path, room, code }) => {
      const row = ROOMS[room]
      const allowed = (specifier: string): boolean => {
        const name = packageOf(specifier)
        if (name.startsWith('node:')) return row?.node === 'any' || (row?.node.includes(name) ?? false)
        return [...(row?.ours ?? []), ...(row?.vendors ?? [])].includes(name)
      }
      return importsOf(code)
        .filter(({ specifier }) => !specifier.startsWith('.') && !allowed(specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`)
    })
    expect(strangers).toEqual([])
  })

  test('an adapter has one vendor at most, and knows no other adapter', () => {
    const rows = Object.entries(ROOMS).filter(([room]) => room.startsWith('adapters/'))
    expect(
      rows.filter(
        ([, { ours, vendors }]) =>
          vendors.filter((name) => name !== TRANSPORT).length > 1 || ours.some((name) => name !== '@tidegate/kernel'),
      ),
    ).toEqual([])
  })

  test('protocol takes only types from the kernel', () => {
    const values = sources
      .filter(({ path }) => path.startsWith('packages/protocol/src/'))
      .flatMap(({ path, code }) =>
        importsOf(code)
          .filter(({ specifier, typesOnly }) => specifier === '@tidegate/kernel' && !typesOnly)
          .map(() => path),
      )
    expect(values).toEqual([])
  })

  test('what a package imports stands in its package.json', () => {
    const common = Object.keys(jsonOf<Manifest>('package.json').devDependencies ?? {})
    const undeclared = sources
      .filter(({ room, path }) => room !== 'tools' && !startsWithAny(path, USERS_OWN))
      .flatMap(({ path, room, code }) => {
        const own = jsonOf<Manifest>(`${room}/package.json`)
        const declared = [
          own.name,
          ...Object.keys(own.dependencies ?? {}),
          ...(isTest(path) ? [...Object.keys(own.devDependencies ?? {}), ...common] : []),
          ...(room === 'packages/testkit' ? ['vitest'] : []),
        ]
        const names = importsOf(code)
          .map(({ specifier }) => packageOf(specifier))
          .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        return names.filter((name) => !declared.includes(name)).map((name) => `${path} imports ${name}`)
      })
    expect(undeclared).toEqual([])
  })

  test('packages depend on each other without a cycle', () => {
    const byName = new Map(
      Object.keys(ROOMS)
        .filter((room) => room !== 'tools')
        .map((room) => [jsonOf<Manifest>(`${room}/package.json`).name ?? room, room]),
    )
    const edges = [...byName].map(
      ([name, room]) =>
        [
          name,
          [
            ...new Set(
              shipped
                .filter((source) => source.room === room)
                .flatMap(({ code }) => importsOf(code).map(({ specifier }) => packageOf(specifier))),
            ),
          ].filter((other) => byName.has(other) && other !== name),
        ] as const,
    )
    expect(cyclesIn(new Map(edges))).toEqual([])
  })

  test('the files of a package import each other without a cycle', () => {
    const edges = sources.map(
      ({ path, code }) =>
        [
          path,
          importsOf(code)
            .filter(({ specifier, typesOnly }) => specifier.startsWith('.') && !typesOnly)
            .map(({ specifier }) => targetOf(path, specifier)),
        ] as const,
    )
    expect(cyclesIn(new Map(edges))).toEqual([])
  })
})

describe('imports', () => {
  const relatives = sources.flatMap(({ path, room, code }) =>
    importsOf(code)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => ({ path, room, specifier, target: targetOf(path, specifier) })),
  )

  test('relative ones name the file, with its extension, and the file is there', () => {
    const wrong = relatives.filter(
      ({ target, specifier }) => !/\.(?:ts|js|json)$/.test(specifier) || !existsSync(join(ROOT, target)),
    )
    expect(wrong.map(({ path, specifier }) => `${path} imports ${specifier}`)).toEqual([])
  })

  test('other packages are imported by name; only a test may borrow the fixtures of another, or an example', () => {
    const across = relatives.filter(
      ({ path, room, target }) =>
        roomOf(target) !== room &&
        !(isTest(path) && (isTest(target) || target.startsWith('examples/'))) &&
        !path.startsWith(BREAKS_ON_PURPOSE),
    )
    expect(across.map(({ path, specifier }) => `${path} imports ${specifier}`)).toEqual([])
  })

  test('none is there for its side effects', () => {
    expect(
      sources.flatMap(({ path, code }) =>
        importsOf(code)
          .filter(({ binds }) => !binds)
          .map(({ specifier }) => `${path} imports ${specifier}`),
      ),
    ).toEqual([])
  })

  test('nothing is exported by default, but by the configuration of tools', () => {
    expect(sources.filter(({ code }) => /\bexport\s+default\b|\bas\s+default\b/.test(code)).map(({ path }) => path)).toEqual([])
  })
})

describe('sources', () => {
  test('only server and cli read the environment', () => {
    const reads = /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/
    expect(sources.filter(({ path, code }) => reads.test(code) && !READS_ENVIRONMENT.test(path)).map(({ path }) => path)).toEqual(
      [],
    )
  })

  test('no file or folder has a name that says nothing', () => {
    const named = files.filter(
      ({ segments, path }) =>
        !startsWithAny(path, USERS_OWN) &&
        segments.some((segment) => BANNED_NAMES.includes(segment.replace(/(?:\.test)?\.[a-z]+$/, ''))),
    )
    expect(named.map(({ path }) => path)).toEqual([])
  })

  test('source files are named in kebab-case', () => {
    expect(
      sources
        .filter(({ path }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.(?:ts|js)$/.test(posix.basename(path)))
        .map(({ path }) => path),
    ).toEqual([])
  })

  test(`no source file has ${MAX_LINES} lines`, () => {
    const long = sources
      .map(({ path, code }) => ({ path, lines: code.split('\n').length - 1 }))
      .filter(({ lines }) => lines >= MAX_LINES)
    expect(long).toEqual([])
  })

  test('nothing is left to be done, left out, or left to itself', () => {
    const traces: readonly (readonly [RegExp, string])[] = [
      [new RegExp(`\\b(?:${['TO', 'FIX'].map((start, i) => start + ['DO', 'ME'][i]).join('|')})\\b`), 'a note to do it later'],
      [/\b(?:test|it|describe)\.(?:only|todo|skip)\b/, 'a test that does not run, or keeps others from running'],
      [/\beval\s*\(|\bnew\s+Function\b/, 'code made from text'],
      [/\benum\s+[A-Z]\w*\s*\{|\bnamespace\s+[A-Z]\w*\s*\{/, 'syntax that cannot be erased'],
    ]
    // What is written in words is looked for in the whole text, what is code in the code.
    const found = sources.flatMap(({ path, code }) =>
      traces.filter(([pattern], i) => pattern.test(i === 0 ? textOf(path) : code)).map(([, what]) => `${path}: ${what}`),
    )
    expect(found).toEqual([])
  })

  test('nothing names the machine that it was written on, or a registry', () => {
    // The patterns are put together so that this file does not match itself.
    const machine = new RegExp(['work', 'root'].map((path) => `(?:^|[\\s"'\`(=:])/${path}/`).join('|'), 'm')
    const registry =
      /\b(?:registry|mirrors?|proxy|deb|security)\.[a-z0-9-]+\.(?:org|com|net|io|dev|cn)\b|\b(?:npm[a-z]+|py[a-z]{2})\.(?:org|com)\b/i
    const texts = files.filter(
      ({ path }) =>
        /\.(?:ts|js|json|md|ya?ml|cedar|go|sh|toml|npmrc)$|(?:^|\/)(?:run|NOTICE|\.npmrc|\.gitignore)$/.test(path) &&
        path !== 'tools/tidy.test.ts',
    )
    expect(texts.filter(({ path }) => machine.test(textOf(path)) || registry.test(textOf(path))).map(({ path }) => path)).toEqual(
      [],
    )
  })

  test('the kernel asks no clock and no chance, which the compiler cannot see', () => {
    const impure = sources.filter(
      ({ path, code }) => path.startsWith('packages/kernel/src/') && /\bDate\b|Math\.random/.test(code),
    )
    expect(impure.map(({ path }) => path)).toEqual([])
  })

  test('every invariant of the design is cited where it is kept', () => {
    const whole = sources
      .filter(({ path }) => /\/src\//.test(path))
      .map(({ path }) => textOf(path))
      .join('\n')
    const missing = Array.from({ length: 13 }, (_, i) => `I${i + 1}`).filter((id) => !new RegExp(`\\b${id}\\b`).test(whole))
    expect(missing).toEqual([])
  })
})

describe('dependencies', () => {
  test('every one is pinned to one version', () => {
    const loose = manifests.flatMap(({ path, manifest }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path}: ${name} ${version}`),
    )
    expect(loose).toEqual([])
  })

  test('packages are private and under our licence', () => {
    expect(
      manifests
        .filter(
          ({ path, manifest }) =>
            !path.includes('/template/') && (manifest.private !== true || manifest.license !== 'Apache-2.0'),
        )
        .map(({ path }) => path),
    ).toEqual([])
  })

  test('the lock file names no address, and has the hash of everything', () => {
    const bad = locked.filter(
      ([path, { link, resolved, integrity }]) =>
        path.startsWith('node_modules/') && link !== true && (resolved !== undefined || integrity === undefined),
    )
    expect(bad.map(([path]) => path)).toEqual([])
  })

  test('the lock file has the packages of every platform, or `npm ci` refuses it', () => {
    const names = new Set(locked.map(([path]) => path.split('node_modules/').at(-1)))
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !names.has(name))
        .map((name) => `${path}: ${name}`),
    )
    expect(missing).toEqual([])
  })

  test('none runs a script when it is installed', () => {
    expect(locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)).toEqual([])
  })

  test('every one has a licence that goes with ours', () => {
    const installed = locked.filter(
      ([path, { link }]) => path.includes('node_modules/') && link !== true && existsSync(join(ROOT, path, 'package.json')),
    )
    expect(installed.length).toBeGreaterThan(40)
    const bad = installed.flatMap(([path, { dev }]) => {
      const { license, licenses } = jsonOf<Manifest>(`${path}/package.json`)
      const looked = dev === true ? LICENCES_LOOKED_UP[path.split('node_modules/').at(-1) ?? ''] : undefined
      const text = looked ?? license ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none'
      return isLicensed(text, dev === true ? [...SHIPPED_LICENCES, ...TOOLING_LICENCES] : SHIPPED_LICENCES)
        ? []
        : [`${dirname(path) === 'node_modules' ? '' : path} ${path.split('node_modules/').at(-1)}: ${text}`]
    })
    expect(bad).toEqual([])
  })

  test.each([
    ['MIT', true],
    ['(AFL-2.1 OR BSD-3-Clause)', true],
    ['MIT AND GPL-3.0-only', false],
    ['Apache-2.0 OR (MIT AND GPL-2.0-only)', true],
    ['SEE LICENSE IN LICENSE', false],
    ['none', false],
  ])('the licence %s is allowed: %s', (text, allowed) => {
    expect(isLicensed(text, SHIPPED_LICENCES)).toBe(allowed)
  })
})
