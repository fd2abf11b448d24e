export { tellRun } from '../../runtime/src/story/index.ts'
