import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { commandsIn, headingsOf, linksOf, pathsIn, sectionsOf, slugOf, textWithoutCode } from './tidy/markdown.ts'
import { jsonOf, repositoryFiles, ROOT, textOf } from './tidy/tree.ts'

// What the documents say must be so: links lead somewhere, commands exist, every error code has its section.

const files = repositoryFiles()
const documents = files.map(({ path }) => path).filter((path) => path.endsWith('.md'))
const adrs = documents.filter((path) => path.startsWith('docs/adr/'))

/** Loads a module of the repository by its path: what it exports is checked where it is used. */
async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(join(ROOT, path)).href)) as Readonly<Record<string, unknown>>
}

describe('docs/errors.md', () => {
  /** Where codes are listed, beside every `*_ERROR_CODES`: objects whose keys are the codes. */
  const TABLES: Readonly<Record<string, string>> = {
    'packages/gateway/src/status.ts': 'STATUS_OF_CODE',
    'examples/support-desk/service/problem.ts': 'DESK_PROBLEMS',
  }

  /** Every error code of the repository, as `package: code`. */
  async function allCodes(): Promise<readonly string[]> {
    const lists = files
      .filter(
        ({ path }) => path.endsWith('.ts') && !path.startsWith('tools/') && /export const \w+_ERROR_CODES\b/.test(textOf(path)),
      )
      .map(({ path }) => path)
    const codes = await Promise.all(
      [...lists, ...Object.keys(TABLES)].map(async (path) => {
        const name = path.split('/').at(/^(?:packages|adapters|integrations|examples)\//.test(path) ? 1 : 0)
        const exported = Object.entries(await load(path))
        const listed = exported
          .filter(([key]) => key.endsWith('_ERROR_CODES'))
          .flatMap(([, value]) => (Array.isArray(value) ? value : []))
        const keyed = exported.filter(([key]) => key === TABLES[path]).flatMap(([, value]) => Object.keys(value as object))
        return [...listed, ...keyed].map((code) => `${name}: ${code}`)
      }),
    )
    return codes.flat()
  }

  test('has exactly one section for every code', async () => {
    const codes = await allCodes()
    expect(codes.length).toBeGreaterThan(100)
    const sections = headingsOf(textOf('docs/errors.md'))
      .filter(({ level }) => level === 3)
      .map(({ text }) => text)
    expect(sections.toSorted()).toEqual(codes.toSorted())
  })

  test('says something in every section', () => {
    const empty = sectionsOf(textOf('docs/errors.md'), 3).filter(({ body }) => body.trim().split(/\s+/).length < 6)
    expect(empty.map(({ heading }) => heading)).toEqual([])
  })
})

describe('links', () => {
  test.each(documents)('%s', (path) => {
    const broken = linksOf(textOf(path)).filter((link) => {
      if (/^(?:https?:|mailto:)/.test(link)) return false
      const [target = '', anchor] = link.split('#')
      const file = target === '' ? path : posix.join(posix.dirname(path), target)
      if (!existsSync(join(ROOT, file))) return true
      return anchor !== undefined && file.endsWith('.md') && !headingsOf(textOf(file)).some(({ text }) => slugOf(text) === anchor)
    })
    expect(broken).toEqual([])
  })

  test('the guide leads to every page of it', () => {
    const linked = linksOf(textOf('docs/guide/index.md'))
    const pages = documents
      .filter((path) => path.startsWith('docs/guide/') && path !== 'docs/guide/index.md')
      .map((path) => posix.basename(path))
    expect(pages.filter((page) => !linked.includes(page))).toEqual([])
  })
})

describe('commands', () => {
  const manuals = documents.filter((path) => path !== 'CHANGELOG.md')

  test('every script of npm that a document names exists', () => {
    const scripts = Object.keys(jsonOf<{ readonly scripts: Readonly<Record<string, string>> }>('package.json').scripts)
    const known = (name: string): boolean => scripts.includes(name)
    const unknown = manuals.flatMap((path) =>
      [
        ...textOf(path).matchAll(
          /\bnpm\s+(?:(?:--silent|-s)\s+)?(?:run\s+(?:(?:--silent|-s)\s+)?([a-z][a-z0-9:-]*)|(start|test)\b)/g,
        ),
      ]
        .map(([, script, short]) => script ?? short ?? '')
        .filter((name) => !known(name))
        .map((name) => `${path}: npm run ${name}`),
    )
    expect(unknown).toEqual([])
  })

  test('every command and option of tidegate that a document names exists', async () => {
    const { createProgram } = (await load('packages/cli/src/program.ts')) as {
      createProgram: (signal: AbortSignal, onExit: () => void) => Command
    }
    const program = createProgram(new AbortController().signal, () => undefined)
    const found = manuals.flatMap((path) => commandsIn(textOf(path), 'tidegate').map((words) => ({ path, words })))
    expect(found.length).toBeGreaterThan(10)
    expect(
      found.flatMap(({ path, words }) =>
        faultOf(program, words).map((fault) => `${path}: tidegate ${words.join(' ')}: ${fault}`),
      ),
    ).toEqual([])
  })

  test.each([
    ['tidegate-verify', 'packages/verify/bin/tidegate-verify.js'],
    ['tidegate-witness', 'packages/witness/bin/tidegate-witness.js'],
  ])('every option of %s that a document names exists', (name, program) => {
    const help = spawnSync(process.execPath, [join(ROOT, program), '--help'], { encoding: 'utf8' }).stdout
    const named = manuals.flatMap((path) => commandsIn(textOf(path), name).map((words) => ({ path, words })))
    const unknown = named.flatMap(({ path, words }) =>
      words
        .filter((word) => /^--[a-z]/.test(word) && word !== '--help' && !help.includes(word))
        .map((word) => `${path}: ${name} ${word}`),
    )
    expect(help).toContain(name)
    expect(unknown).toEqual([])
  })
})

interface Command {
  readonly commands: readonly Command[]
  readonly options: readonly { readonly long?: string; readonly short?: string }[]
  name(): string
}

/** What is wrong with a command line as a document writes it. Words that could be values are not looked at. */
function faultOf(program: Command, words: readonly string[]): readonly string[] {
  let at = program
  const chain = [program]
  let skipValue = false
  for (const word of words) {
    if (word.startsWith('-')) {
      skipValue = /^--(?:project|as|server|token-file)$/.test(word)
      continue
    }
    if (skipValue) {
      skipValue = false
      continue
    }
    const next = at.commands.find((command) => command.name() === word)
    if (next === undefined && at.commands.length > 0 && /^[a-z]/.test(word)) return [`there is no command "${word}"`]
    if (next === undefined) break
    at = next
    chain.push(next)
  }
  const known = [
    '--help',
    '-h',
    ...chain.flatMap(({ options }) => options.flatMap(({ long, short }) => [long ?? '', short ?? ''])),
  ]
  return words.filter((word) => /^--?[a-z]/.test(word) && !known.includes(word)).map((word) => `there is no option ${word}`)
}

describe('examples of the guide', () => {
  const blocksOf = (path: string, language: string): readonly string[] =>
    [...textOf(path).matchAll(new RegExp(`^\\x60{3}${language}\\n(.*?)^\\x60{3}$`, 'gms'))].map(([, block]) => block ?? '')

  test('every configuration that a page shows is one that the server accepts', async () => {
    const { parse } = (await import('yaml')) as { parse: (text: string) => unknown }
    const { configurationSchema } = (await load('packages/project/src/configuration/schema.ts')) as {
      configurationSchema: { safeParse: (value: unknown) => { success: boolean; error?: { message: string } } }
    }
    const whole = parse(textOf('packages/cli/template/tidegate.yaml')) as object
    const pages = [
      'docs/guide/index.md',
      'docs/guide/models.md',
      'docs/guide/tools.md',
      'docs/guide/recovery.md',
      'docs/guide/changing-policy.md',
      'docs/guide/commands.md',
    ]
    const shown = pages.flatMap((page) =>
      blocksOf(page, 'yaml')
        // Alternatives stand in one block, one to a line.
        .flatMap((block) => (/^model: \{.*\n(?:model: \{.*\n)+$/.test(block) ? block.trim().split('\n') : [block]))
        .map((block) => ({ page, block })),
    )
    expect(shown.length).toBeGreaterThan(5)
    const refused = shown.flatMap(({ page, block }) => {
      const answer = configurationSchema.safeParse({ ...whole, ...(parse(block) as object) })
      return answer.success ? [] : [`${page}: ${block}: ${answer.error?.message}`]
    })
    expect(refused).toEqual([])
  })
})

describe('pages', () => {
  test('files that are named as code exist', () => {
    const roots = [...new Set(files.map(({ segments }) => segments[0] ?? ''))]
    const pages = ['README.md', 'AGENTS.md', 'docs/threat-model.md', 'docs/guide/index.md', ...adrs]
    const named = pages.flatMap((page) => pathsIn(textOf(page), roots).map((path) => ({ page, path })))
    expect(named.filter(({ page }) => page === 'AGENTS.md').length).toBeGreaterThan(10)
    expect(named.filter(({ path }) => !existsSync(join(ROOT, path))).map(({ page, path }) => `${page}: ${path}`)).toEqual([])
  })

  test('decisions are numbered without a gap and have four parts', () => {
    expect(adrs.length).toBeGreaterThan(9)
    expect(adrs.map((path) => posix.basename(path).slice(0, 4))).toEqual(adrs.map((_, i) => String(i + 1).padStart(4, '0')))
    const parts = ['Context', 'Decision', 'Alternatives', 'Consequences']
    const incomplete = adrs.filter(
      (path) =>
        headingsOf(textOf(path))
          .filter(({ level }) => level === 2)
          .map(({ text }) => text)
          .join() !== parts.join(),
    )
    expect(incomplete).toEqual([])
  })

  test('the threat model speaks of every invariant, and names tests that exist', () => {
    const text = textOf('docs/threat-model.md')
    expect(Array.from({ length: 13 }, (_, i) => `I${i + 1}`).filter((id) => !new RegExp(`\\b${id}\\b`).test(text))).toEqual([])
    expect(
      pathsIn(text, ['packages', 'adapters', 'integrations', 'sim', 'e2e', 'examples', 'tools']).filter((path) =>
        path.endsWith('.test.ts'),
      ).length,
    ).toBeGreaterThan(10)
  })

  test('the changelog has a section for the version that this is', () => {
    const { version } = jsonOf<{ readonly version: string }>('package.json')
    expect(headingsOf(textOf('CHANGELOG.md')).some(({ level, text }) => level === 2 && text.includes(version))).toBe(true)
  })

  test('the licence is what package.json says', () => {
    expect(textOf('LICENSE')).toContain('Apache License')
    expect(textOf('LICENSE')).toContain('Version 2.0, January 2004')
  })

  test("the check of a change runs the README's test command", () => {
    expect(textOf('.ci/run')).toMatch(/^npm test$/m)
    expect(textOf('README.md')).toMatch(/\bnpm test\b/)
  })

  test('no sentence is left unfinished', () => {
    const unfinished = documents.filter((path) => /\b(?:TBD|lorem ipsum|coming soon)\b/i.test(textWithoutCode(textOf(path))))
    expect(unfinished).toEqual([])
  })
})
