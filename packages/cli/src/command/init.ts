import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { PROJECT_FILE } from '../project/find-project.ts'
import type { Shell } from '../shell.ts'

const TEMPLATE = fileURLToPath(new URL('../../template', import.meta.url))
/** What the tools of a project import, below @tidegate. */
const IMPORTED = ['tools', 'tools-http']

/** Writes a minimal project into an empty or new directory. Nothing that exists is overwritten. */
export async function init(shell: Shell, directory: string): Promise<ExitCode> {
  const target = resolve(shell.cwd, directory)
  if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0)) {
    throw new CliError('directory_not_empty', `${target} is not an empty directory. Name a new directory.`)
  }
  makeDirectory(target)
  cpSync(TEMPLATE, target, { recursive: true, errorOnExist: true, force: false })
  // Packing tools drop files of this name, so that the template has it without the dot.
  renameSync(join(target, 'gitignore'), join(target, '.gitignore'))
  const files = readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(target, join(entry.parentPath, entry.name)))
  const linked = linkPackages(target)
  shell.result({ project: target, files: files.toSorted(), linked }, (view) => {
    const { style } = shell
    return [
      `A project is in ${view.project}:`,
      ...view.files.map((file) => `  ${file}`),
      ...view.linked.map((link) => `  ${link} (a link to this installation)`),
      '',
      'Next:',
      `  ${style('link', `tidegate up --project ${directory}`)}`,
      `  ${style('link', `tidegate run take-note noteId=first text="Hello" --as alex --project ${directory}`)}`,
      `README.md and ${PROJECT_FILE} say the rest.`,
    ].join('\n')
  })
  return EXIT.ok
}

/** Makes a directory and those above it. One by one: where none can be made (/proc), Node's own recursion never ends. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory)
  } catch (cause) {
    throw new CliError('file_unreadable', `${directory} cannot be made. Name a directory where you may write.`, { cause })
  }
}

/** Where the new project cannot find the packages by itself, it gets links to ours; answers them. */
function linkPackages(target: string): readonly string[] {
  const scope = fileURLToPath(new URL('../../../../node_modules/@tidegate', import.meta.url))
  const finds = createRequire(join(target, 'tools', 'none.js'))
  const missing = IMPORTED.filter((name) => !canResolve(finds, `@tidegate/${name}`) && existsSync(join(scope, name)))
  if (missing.length > 0) mkdirSync(join(target, 'node_modules', '@tidegate'), { recursive: true })
  return missing.map((name) => {
    const link = join('node_modules', '@tidegate', name)
    symlinkSync(join(scope, name), join(target, link), 'junction')
    return link
  })
}

function canResolve(finds: NodeJS.Require, name: string): boolean {
  try {
    finds.resolve(name)
    return true
  } catch {
    return false
  }
}
