import type { TemplateLink } from '@cedar-policy/cedar-wasm/nodejs'
import { decodeUid, type EntityUid, type EstScope, type PolicySource } from '@tidegate/kernel'
import { CedarError } from '../error.ts'
import type { FoundPolicy } from './find-policies.ts'

/**
 * Links templates: each link is a policy with an id of its own.
 *
 * @throws CedarError `policy_link` for a template that is not there, a slot without a value, a value without a slot, or an id that is
 * taken.
 */
export function readLinks(links: readonly TemplateLink[], found: readonly FoundPolicy[]): readonly PolicySource[] {
  const taken = new Set(found.map(({ id }) => id))
  return links.map(({ templateId, newId, values }) => {
    const template = found.find((policy) => policy.template && policy.id === templateId)
    if (template === undefined) throw refuse(newId, `there is no template "${templateId}"`)
    if (taken.has(newId)) throw refuse(newId, 'the id is taken')
    taken.add(newId)
    const wanted = slotsOf(template)
    const given = Object.entries(values).map(([slot, json]): [string, EntityUid] => {
      const uid = decodeUid(json)
      if (uid === undefined) throw refuse(newId, `${slot} must name an entity`)
      if (!wanted.includes(slot)) throw refuse(newId, `the template has no slot ${slot}`)
      return [slot, uid]
    })
    const missing = wanted.filter((slot) => !Object.hasOwn(values, slot))
    if (missing.length > 0) throw refuse(newId, `nothing fills ${missing.join(' and ')}`)
    return { id: newId, policy: template.policy, slots: Object.fromEntries(given) }
  })
}

/** The slots that a template has. */
function slotsOf({ policy }: FoundPolicy): readonly string[] {
  return [policy.principal, policy.resource].flatMap((scope) => slotOf(scope))
}

function slotOf(scope: EstScope | Readonly<Record<string, unknown>>): readonly string[] {
  const { slot, in: within }: Readonly<Record<string, unknown>> = { ...scope }
  if (typeof slot === 'string') return [slot]
  return typeof within === 'object' && within !== null ? slotOf({ ...within }) : []
}

function refuse(id: string, message: string): CedarError {
  return new CedarError('policy_link', `the link "${id}": ${message}`)
}
