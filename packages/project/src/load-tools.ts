import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { resolveTool, type Tool } from '@tidegate/tools'
import type { Configuration } from './configuration/schema.ts'
import { ProjectError } from './error.ts'

/**
 * Loads the tools that a configuration names. The files are the project's own code and run as such.
 *
 * @throws ProjectError `tool_unusable`, or the ToolsError of a declaration that is refused.
 */
export async function loadTools(project: string, { tools }: Pick<Configuration, 'tools'>): Promise<readonly Tool[]> {
  const loaded = await Promise.all(
    tools.map(async ({ file, settings }) => {
      const path = resolve(project, file)
      let module: { tool?: unknown }
      try {
        module = (await import(pathToFileURL(path).href)) as { tool?: unknown }
      } catch (cause) {
        throw new ProjectError(
          'tool_unusable',
          `The tool ${file} cannot be loaded: ${cause instanceof Error ? cause.message : 'unknown error'}`,
          { cause },
        )
      }
      return resolveTool(module.tool, { file, settings })
    }),
  )
  const names = loaded.map((tool) => tool.name)
  const second = names.findIndex((name, i) => names.indexOf(name) < i)
  if (second >= 0) {
    const files = [names.indexOf(names[second] ?? ''), second].map((i) => tools[i]?.file).join(' and ')
    throw new ProjectError('tool_unusable', `Two tools are named ${names[second]}: ${files}. Rename one.`)
  }
  return loaded
}
