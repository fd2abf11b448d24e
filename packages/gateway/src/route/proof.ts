import { canaryQuerySchema, type WireDoctor, WIRE_LIMITS } from '@tidegate/protocol'
import type { HostDesk } from '@tidegate/runtime'
import { clip, done } from '../reply.ts'
import { type Route, route } from './route.ts'

/** What a proof asks: whether a canary that it fired at a host stands in the ledger. */
export function canaryRoutes(desk: Pick<HostDesk, 'canaries'>): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/hosts/:id/canaries',
      query: canaryQuerySchema,
      timeoutMs: 120_000,
      run: async ({ id, query }) => done({ sightings: await desk.canaries({ host: id, ...query }) }),
    }),
  ]
}

/** Looks at what only the server can look at. */
export type Doctor = () => Promise<WireDoctor>

/** What `tidegate doctor` asks. */
export function doctorRoutes(doctor: Doctor): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/doctor',
      timeoutMs: 120_000,
      run: async () => {
        const { sandbox, upstream } = await doctor()
        const report: WireDoctor = {
          sandbox:
            sandbox === null
              ? null
              : {
                  sound: sandbox.sound,
                  layers: sandbox.layers.map((layer) => ({ ...layer, detail: clip(layer.detail) })),
                  leaks: sandbox.leaks.map((leak) => ({ ...leak, detail: clip(leak.detail) })),
                },
          upstream: upstream.slice(0, WIRE_LIMITS.items).map((each) => ({
            ...each,
            detail: clip(each.detail),
            issues: each.issues.slice(0, 100).map(clip),
          })),
        }
        return done(report)
      },
    }),
  ]
}
