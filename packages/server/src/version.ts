/** The version of Tidegate, as in its package files. */
export const VERSION = '0.1.0'
