import { HANDS_TAKEN } from './hands-cases.ts'
import { HOOK_ALONE } from './hook-cases.ts'
import { OBSERVING } from './observe-cases.ts'
import type { Case } from './tries.ts'

/** Cases that share one way of being connected. */
export interface Chapter {
  readonly title: string
  readonly host: 'observe' | 'enforce'
  readonly server: 'observe' | 'enforce'
  readonly cases: readonly Case[]
}

/** Everything, in the order in which it is tried. */
export const CHAPTERS: readonly Chapter[] = [
  { title: 'observe', host: 'observe', server: 'observe', cases: OBSERVING },
  { title: 'the hook alone', host: 'observe', server: 'enforce', cases: HOOK_ALONE },
  { title: 'enforce: the hands are taken', host: 'enforce', server: 'enforce', cases: HANDS_TAKEN },
]
