export * from './annotation.ts'
export * from './argument-type.ts'
export * from './engine.ts'
export { createEntityPolicy, type EntityPolicyOptions } from './entity/engine.ts'
export { createOracleEngine } from './oracle.ts'
export * from './error.ts'
export { describePolicies } from './describe.ts'
export { type CheckPolicies, checkPolicies, type PolicyCheck } from './policy-check.ts'
export { createPolicyLoader } from './policy-loader.ts'
export { type LoadedPolicy, loadPolicies, MAX_POLICIES, type PolicyFile, type ReadPolicies, readPolicies } from './load.ts'
export * from './sample-arguments.ts'
export * from './schema.ts'
export { MAX_FILE_BYTES, MAX_NESTING, MAX_OPERATORS, MAX_POLICY_LENGTH } from './segment.ts'
export { authorizeFiles, type AuthorizeFilesOptions, type FilesAnswer } from './authorize.ts'
export { type CompileCedarOptions, type CompiledCedar, type CompiledFrom, compileCedar } from './compile.ts'
export {
  type ConformanceMismatch,
  type ConformanceOptions,
  type ConformanceProgress,
  type ConformanceReport,
  runConformance,
} from './conformance.ts'
export { type ParsedPolicy, parsePolicyExactly } from './language/exact-policy.ts'
export { readSchemaTypes, type SchemaTypes } from './language/schema-types.ts'
