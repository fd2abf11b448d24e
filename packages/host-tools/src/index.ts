export { withCommandKinds } from './command-kinds.ts'
export { hostToolsOf } from './host-tools.ts'
export { offlineTools, SHELL_TOOL } from './offline-tools.ts'
