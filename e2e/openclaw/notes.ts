import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { defineTool, done, operation, parseSettings, z } from '@tidegate/tools'

const line = z.string().min(1).max(500)

/** The outside system of this project: a file to which lines are added. What stands in it has happened, as often as it stands there. */
export const tool = ({ settings }: { readonly settings: unknown }) => {
  const { file } = parseSettings(z.strictObject({ file: z.string() }), settings, 'notes')
  const linesOf = (): readonly string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])
  return defineTool({
    name: 'notes',
    title: 'Notes',
    operations: {
      add: operation({
        title: 'Add a note',
        description: 'Adds one line to the notes.',
        input: z.strictObject({ line }),
        output: z.strictObject({ count: z.int() }),
        mutability: 'write',
        dataClass: 'internal',
        blastRadius: 'single',
        risk: 'low',
        nature: [],
        reversibility: 'irreversible',
        records: ['/line'],
        origins: { '/count': 'system' },
        execute: async ({ arguments: args, effectId }) => {
          appendFileSync(file, `${args.line} ${effectId}\n`)
          return done({ count: linesOf().length })
        },
        reconcile: async ({ effectId }) =>
          linesOf().some((each) => each.endsWith(effectId))
            ? { kind: 'happened', output: { count: linesOf().length } }
            : { kind: 'absent' },
      }),
      read: operation({
        title: 'Read the notes',
        description: 'Reads all lines.',
        input: z.strictObject({}),
        output: z.strictObject({ lines: z.array(z.string()) }),
        mutability: 'read',
        dataClass: 'internal',
        blastRadius: 'single',
        risk: 'low',
        origins: { '': 'system' },
        execute: async () => done({ lines: [...linesOf()] }),
      }),
    },
  })
}
