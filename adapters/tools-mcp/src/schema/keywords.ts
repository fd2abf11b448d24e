/** Keywords whose value is a schema. */
export const SCHEMA_KEYWORDS = [
  'additionalProperties',
  'additionalItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
] as const
/** Keywords whose value is a list of schemas. `items` was one until draft 2019-09, and may be a schema as well. */
export const LIST_KEYWORDS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const
/** Keywords whose value maps names to schemas. `dependencies` may map to lists of names as well. */
export const MAP_KEYWORDS = [
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
] as const
/** Keywords that demand what is not looked at here. A schema with one of them is refused: what cannot be checked is not accepted. */
export const REFUSED_KEYWORDS = ['$dynamicRef', '$recursiveRef', 'unevaluatedProperties', 'unevaluatedItems'] as const
/** Keywords that only describe; texts in them are a server's and are made fit to be shown. */
export const TEXT_KEYWORDS = ['title', 'description'] as const
/** Keywords that are left out of what is shown. */
export const DROPPED_KEYWORDS = [
  '$schema',
  '$comment',
  '$vocabulary',
  'examples',
  'example',
  'contentMediaType',
  'contentEncoding',
] as const
