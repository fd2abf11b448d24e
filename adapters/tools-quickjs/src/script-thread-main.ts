import { parentPort } from 'node:worker_threads'
import { runScript, type ScriptRequest } from './run-script.ts'

parentPort?.on('message', ({ id, request }: { id: number; request: ScriptRequest }) => {
  runScript(request).then(
    (result) => parentPort?.postMessage({ id, result }),
    () => parentPort?.postMessage({ id, result: { kind: 'stopped', because: 'memory' } }),
  )
})
