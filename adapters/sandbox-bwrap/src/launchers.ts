import { Launcher, type LauncherPlan } from './launcher.ts'

/** Launchers that are kept without a sandbox. */
const KEPT = 8

/** The launchers of one process: one for each plan and workspace, the ones that were used last. */
export interface Launchers {
  /** The launcher for a plan and an open workspace, whose identity says whether two are the same. The descriptor stays the caller's. */
  find(plan: LauncherPlan, workspace: OpenDirectory): Launcher
  /** One that starts a single sandbox. */
  once(plan: LauncherPlan, workspace: OpenDirectory): Launcher
  /** Says that a sandbox of a launcher has ended. */
  release(launcher: Launcher): void
  /** Ends all, with what they started. */
  close(): Promise<void>
}

export interface OpenDirectory {
  readonly descriptor: number
  readonly identity: string
}

export function createLaunchers(): Launchers {
  /** In the order of their last use. */
  const kept = new Map<string, Launcher>()
  const single = new Set<Launcher>()
  let closed = false
  const tidy = (): void => {
    for (const [key, launcher] of kept) {
      if (!closed && kept.size <= KEPT && launcher.alive) continue
      if (launcher.alive && launcher.inUse > 0) continue
      kept.delete(key)
      void launcher.close()
    }
  }
  return {
    find: (plan, { descriptor, identity }) => {
      const key = JSON.stringify([identity, plan])
      const found = kept.get(key)
      const launcher = found?.alive === true ? found : new Launcher(plan, descriptor)
      kept.delete(key)
      kept.set(key, launcher)
      return launcher
    },
    once: (plan, { descriptor }) => {
      const launcher = new Launcher(plan, descriptor)
      single.add(launcher)
      return launcher
    },
    release: (launcher) => {
      if (single.delete(launcher)) void launcher.close()
      tidy()
    },
    close: async () => {
      // One that is still asked for ends with its sandbox.
      closed = true
      await Promise.all([...kept.values(), ...single].map((launcher) => launcher.close()))
      kept.clear()
      single.clear()
    },
  }
}
