export { decimalText } from './decimal.ts'
export {
  authorize,
  authorizeNarrowly,
  type CedarAnswer,
  type CedarRequest,
  matchPolicies,
  type NarrowAnswer,
  type PolicyFailure,
  type PolicyMatches,
} from './authorize.ts'
export {
  type CompiledPolicies,
  type CompiledPolicy,
  type CompileOptions,
  compilePolicies,
  MAX_COMPILED_POLICIES,
  type PolicySource,
} from './compile.ts'
export {
  createEntities,
  type Entity as CedarEntity,
  type EntityData,
  type EntityStore,
  MAX_ENTITIES,
  NO_ENTITIES,
} from './entities.ts'
export type { EstClause, EstPolicy, EstScope } from './est.ts'
export {
  type ClauseExplanation,
  type EvaluatedExpression,
  evaluateExpression,
  explainPolicies,
  type PolicyExplanation,
} from './explain.ts'
export { narrowPolicies } from './narrow.ts'
export { MAX_EXPRESSION_DEPTH } from './expression.ts'
export { clauseText, expressionText } from './expression-text.ts'
export { EXTENSION_FUNCTIONS } from './extension.ts'
export { FAILURE_KINDS as CEDAR_FAILURE_KINDS, type FailureKind as CedarFailureKind } from './failure.ts'
export { callConstructor, decodeEntityEscape, decodeScalar, decodeUid, decodeValue, recordOf } from './json-value.ts'
export { extensionEscape, functionAndArguments, MAX_VALUE_DEPTH } from './json-value.ts'
export { IpAddr } from './ip.ts'
export { LONG_MAX, LONG_MIN, longOf } from './long.ts'
export type { ActionConstraint as CedarActionConstraint, Constraint as CedarConstraint, Slots as CedarSlots } from './scope.ts'
export { CedarSet } from './set.ts'
export { quoted as quotedText, uidText } from './text.ts'
export {
  type CedarRecord,
  Datetime as CedarDatetime,
  Decimal as CedarDecimal,
  Duration as CedarDuration,
  EntityUid,
  entityUid,
  kindOf,
  type Long as CedarLong,
  type Value as CedarValue,
  type ValueKind as CedarValueKind,
} from './value.ts'
