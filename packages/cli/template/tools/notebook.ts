import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineTool, done, operation, z } from '@tidegate/tools'

/** The outside system of this project: one file per note. Put your own in its place. */
const NOTES = fileURLToPath(new URL('../notes/', import.meta.url))

const noteId = z.string().regex(/^[a-z0-9-]{1,40}$/)
const text = z.string().max(2000)
const state = z.enum(['written', 'absent'])

/** What a file holds: the note, what it was before, and which effect wrote it, so that a lost answer can be looked up. */
interface Note {
  readonly text: string | null
  readonly previousText: string | null
  readonly effectId: string
}

function load(id: string): Note | undefined {
  try {
    // Sound: only this tool writes these files.
    return JSON.parse(readFileSync(`${NOTES}${id}.json`, 'utf8')) as Note
  } catch {
    return undefined
  }
}

function save(id: string, note: Note): void {
  mkdirSync(NOTES, { recursive: true })
  writeFileSync(`${NOTES}${id}.tmp`, JSON.stringify(note))
  renameSync(`${NOTES}${id}.tmp`, `${NOTES}${id}.json`)
}

function change(id: string, to: string | null, effectId: string) {
  const previousText = load(id)?.text ?? null
  save(id, { text: to, previousText, effectId })
  return done({ noteId: id, previousText })
}

/** Was it this very effect that wrote the note last? */
async function reconcile({ arguments: args, effectId }: { arguments: { noteId: string }; effectId: string }) {
  const note = load(args.noteId)
  if (note?.effectId !== effectId) return { kind: 'absent' } as const
  return { kind: 'happened', output: { noteId: args.noteId, previousText: note.previousText } } as const
}

const changed = z.strictObject({ noteId, previousText: text.nullable() })
const system = { '/noteId': 'system', '/previousText': 'user' } as const

const read = operation({
  title: 'Read a note',
  description: 'Reads one note.',
  input: z.strictObject({ noteId }),
  output: z.strictObject({ noteId, state, text }),
  mutability: 'read',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  records: ['/noteId'],
  origins: { '/noteId': 'system', '/state': 'system', '/text': 'user' },
  execute: async ({ arguments: args }) => {
    const found = load(args.noteId)?.text ?? null
    return done({ noteId: args.noteId, state: found === null ? 'absent' : 'written', text: found ?? '' })
  },
})

const write = operation({
  title: 'Write a note',
  description: 'Writes one note, over what was there.',
  input: z.strictObject({ noteId, text }),
  output: changed,
  mutability: 'write',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  nature: [],
  reversibility: 'reversible',
  records: ['/noteId'],
  origins: system,
  execute: async ({ arguments: args, effectId }) => change(args.noteId, args.text, effectId),
  reconcile,
  verify: async ({ arguments: args }) => {
    const holds = load(args.noteId)?.text === args.text
    return { holds, detail: holds ? 'the note holds this text' : 'the note holds another text' }
  },
  compensate: { operation: 'note.restore', arguments: ({ output }) => ({ noteId: output.noteId, text: output.previousText }) },
})

const erase = operation({
  title: 'Erase a note',
  description: 'Erases one note.',
  input: z.strictObject({ noteId }),
  output: changed,
  mutability: 'destructive',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'high',
  nature: ['deletion'],
  reversibility: 'reversible',
  records: ['/noteId'],
  origins: system,
  execute: async ({ arguments: args, effectId }) => change(args.noteId, null, effectId),
  preview: async ({ arguments: args }) => done({ before: { text: load(args.noteId)?.text ?? null }, after: { text: null } }),
  reconcile,
  compensate: { operation: 'note.restore', arguments: ({ output }) => ({ noteId: output.noteId, text: output.previousText }) },
})

const restore = operation({
  title: 'Put a note back as it was',
  description: 'Writes what a note held before, or erases it when there was none.',
  input: z.strictObject({ noteId, text: text.nullable() }),
  output: changed,
  mutability: 'write',
  dataClass: 'internal',
  blastRadius: 'single',
  risk: 'low',
  nature: [],
  reversibility: 'irreversible',
  records: ['/noteId'],
  origins: system,
  execute: async ({ arguments: args, effectId }) => change(args.noteId, args.text, effectId),
  reconcile,
  verify: async ({ arguments: args }) => {
    const holds = (load(args.noteId)?.text ?? null) === args.text
    return { holds, detail: holds ? 'the note is as it was' : 'the note is not as it was' }
  },
})

/** Everything that an agent may propose to do with the notebook, and how each of it is seen and taken back. */
export const tool = defineTool({
  name: 'notebook',
  title: 'Notebook',
  operations: { 'note.read': read, 'note.write': write, 'note.erase': erase, 'note.restore': restore },
})
