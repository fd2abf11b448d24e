export { createJavaScript, type JavaScriptOptions, type JavaScriptTool } from './create-javascript.ts'
