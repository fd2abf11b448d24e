export { openTaint, type TaintIndex, type TaintMarks, type TaintParts } from './taint-index.ts'
