/** The largest message that is read from a server, in bytes. What is larger is skipped, and the call that it answers has failed. */
export const MAX_MESSAGE_BYTES = 8_388_608
/** The most bytes of messages too large that are skipped before a server is given up. */
export const MAX_SKIPPED_BYTES = 268_435_456
/** The most bytes that may wait to be written to a server which does not read. */
export const MAX_UNWRITTEN_BYTES = 8_388_608
/** Lines of a server's output that are no messages, before it is given up. */
export const MAX_STRAY_LINES = 1_000
/** Messages that nobody asked for, in a second, before a server is given up. */
export const MAX_UNASKED_PER_SECOND = 2_000
/** How much of what a server writes to its error output is kept, in characters. */
export const MAX_STDERR_CHARS = 2_048

/** The most pages, and the most bytes in all, of a list of tools. */
export const MAX_LIST_PAGES = 64
export const MAX_LIST_BYTES = 16_777_216
/** The most tools of one server that become operations; the others are left out. */
export const MAX_TOOLS = 1_000
/** The largest definition of one tool, in bytes as JSON. */
export const MAX_DEFINITION_BYTES = 131_072
/** How deep a definition may nest. */
export const MAX_DEFINITION_DEPTH = 40
/** The longest name of a tool, as in the specification. */
export const MAX_NAME_CHARS = 128
/** The longest descriptions that are passed on: of a tool, and of one of its arguments. */
export const MAX_DESCRIPTION_CHARS = 1_500
export const MAX_ARGUMENT_TEXT_CHARS = 500

/** What the arguments of one call may cost. */
export const INPUT_LIMITS = { maxBytes: 65_536, maxDepth: 32 } as const
/** What one output may cost. Text past it is cut, and the output says that it is not complete. */
export const OUTPUT_LIMITS = { maxBytes: 1_048_576, maxDepth: 32 } as const
/** The most blocks of one answer that are passed on. */
export const MAX_BLOCKS = 200
/** Binary parts up to this size, in bytes, are passed on; of larger ones the size and the digest. */
export const MAX_INLINE_BYTES = 8_192

/** Calls under way at one server at the same time. */
export const MAX_IN_FLIGHT = 256
/** How long a server may think about the question which protocol it speaks. */
export const PROBE_MS = 3_000
/** Waiting before a server is started again: doubles from the first to the last with each failure. */
export const BACKOFF_MS = { first: 500, last: 30_000 } as const
/** A server that has lived this long was in order: its end does not count as a failed start. */
export const STEADY_MS = 10_000
/** How long a child has to end: after its input was closed, and after it was asked to terminate. */
export const END_MS = { input: 500, terminate: 1_500 } as const
