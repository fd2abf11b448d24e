import { describeModelContract, type OpenModel, startModelServer } from '@tidegate/testkit'
import { describe, test } from 'vitest'
import { createOpenAiModel } from '../src/index.ts'

/** The adapter against a real server, in each way of answering. */
function open(streaming: boolean, tearing: { readonly pieceLength?: number; readonly packetBytes?: number } = {}): OpenModel {
  return async (script) => {
    const { baseUrl, close } = await startModelServer({ script, ...tearing })
    const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl, streaming, apiKey: async () => 'sk-contract-key' })
    return { model, close }
  }
}

describeModelContract({ title: 'openai, streamed', open: open(true), describe, test })
describeModelContract({ title: 'openai, in one piece', open: open(false), describe, test })
