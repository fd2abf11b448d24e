/** The HTTP status of every code a request can be answered with. The only place that knows status codes. */
export const STATUS_OF_CODE = {
  // what the gateway itself refuses
  invalid_request: 400,
  malformed_json: 400,
  invalid_utf8: 400,
  unauthorized: 401,
  forbidden_origin: 403,
  unknown_route: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  wrong_host: 421,
  headers_too_large: 431,
  too_busy: 429,
  internal_error: 500,
  shutting_down: 503,
  storage_failed: 503,
  storage_full: 503,
  storage_unwritable: 503,
  timeout: 504,
  // what the runtime answers
  directory_unusable: 422,
  run_erased: 410,
  not_found: 404,
  unknown_workflow: 404,
  input_too_large: 413,
  invalid_input: 422,
  invalid_scope: 422,
  stopped: 409,
  approval_closed: 409,
  approval_lapsed: 409,
  digest_mismatch: 409,
  already_voted: 409,
  already_resolved: 409,
  not_a_sink: 422,
  value_unusable: 422,
  already_undone: 409,
  not_finished: 409,
  nothing_to_undo: 409,
  nothing_to_change: 409,
  policy_refused: 422,
  policy_locks_out: 422,
  not_entitled: 403,
  is_requester: 403,
  // what requests for access are refused with
  not_requestable: 400,
  invalid_denial_binding: 400,
  callback_unsupported: 400,
  items_unsupported: 400,
  unknown_task: 404,
  duplicate_request: 409,
  invalid_task_state: 409,
  expired_denial: 410,
  task_expired: 410,
} as const

export type AnswerCode = keyof typeof STATUS_OF_CODE

/** Codes whose problem type is not ours: the Access Request and Approval Profile defines it (section "Error Responses"). */
const ACCESS_REQUEST_CODES: readonly AnswerCode[] = [
  'not_requestable',
  'expired_denial',
  'invalid_denial_binding',
  'duplicate_request',
  'unknown_task',
  'task_expired',
  'invalid_task_state',
]

/** The problem type of a code (RFC 9457). */
export function typeOfCode(code: AnswerCode): string {
  return ACCESS_REQUEST_CODES.includes(code) ? `urn:openid:authzen:access-request:error:${code}` : `urn:tidegate:problem:${code}`
}

/** What a person reads first about each status. */
export const TITLE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'The request is not understood',
  401: 'A valid token is needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'The method is not allowed here',
  408: 'The request took too long to arrive',
  409: 'Not possible in the present state',
  410: 'Not there any more',
  413: 'Too large',
  415: 'Only JSON is understood',
  421: 'Sent to the wrong host',
  422: 'The request is understood, but not valid',
  429: 'Too many at once',
  431: 'The headers are too large',
  500: 'Something went wrong here',
  503: 'Not available',
  504: 'It took too long',
}
