export { PROXY_PORT } from './arguments.ts'
export { type BwrapOptions, createBwrapSandbox } from './create-bwrap.ts'
export {
  createEgressBroker,
  DEFAULT_EGRESS_LIMITS,
  type EgressBroker,
  type EgressBrokerOptions,
  type EgressLimits,
} from './egress/broker.ts'
export { SANDBOX_BWRAP_ERROR_CODES, SandboxBwrapError, type SandboxBwrapErrorCode } from './error.ts'
export { DEFAULT_SANDBOX_LIMITS } from './limits.ts'
