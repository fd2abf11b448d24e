import { type Case, exec, logOf, must } from './tries.ts'

/** Nothing is stopped, and everything is seen. */
export const OBSERVING: readonly Case[] = [
  {
    name: 'what would be denied runs, and is counted',
    async run({ host, gate, happened }) {
      const before = await gate.host()
      await host.say(`Please do this:\n${exec('touch deny-me-observed')}`)
      must(happened('deny-me-observed'), 'Observing stopped a call.')
      const { wouldHave, calls } = await gate.host()
      must(
        calls > before.calls && wouldHave > before.wouldHave,
        `Not counted: ${calls} calls, ${wouldHave} would have been stopped.`,
      )
      return `ran; ${wouldHave} would have been stopped`
    },
  },
  {
    name: 'the server is killed while observing: the agent goes on, and the log says so',
    async run(stage) {
      const { host, gate, happened } = stage
      await gate.stop('SIGKILL')
      await host.say(`Please do this:\n${exec('touch seen-by-nobody')}`)
      await gate.start()
      must(happened('seen-by-nobody'), 'Observing stopped a call.')
      must(logOf(stage).includes('OBSERVE MODE, CALL NOT SEEN'), 'The log does not say it.')
      return 'ran, loudly'
    },
  },
]
