import type { Tidegate } from '@tidegate/runtime'
import { createGateway, type Gateway } from '../src/index.ts'
import { authenticate } from './people.ts'

/** A gateway over a fake runtime, for the people of these tests. Not listening yet. */
export function gatewayOver(tidegate: Tidegate): Gateway {
  return createGateway({ tidegate, authenticate, version: '0.1.0' })
}
