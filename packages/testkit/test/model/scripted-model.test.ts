import { describe, test } from 'vitest'
import { createScriptedModel, describeModelContract } from '../../src/model/index.ts'

describeModelContract({
  title: 'scripted',
  open: async (script) => ({ model: createScriptedModel({ script }), close: async () => undefined }),
  describe,
  test,
})
