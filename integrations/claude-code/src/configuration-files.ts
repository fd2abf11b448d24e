import { join } from 'node:path'
import type { HostEnvironment } from '@tidegate/connect'

/** Where an organisation's own settings stand; they beat those of the user. */
const MANAGED: Readonly<Record<string, string>> = {
  darwin: '/Library/Application Support/ClaudeCode/managed-settings.json',
  win32: 'C:\\Program Files\\ClaudeCode\\managed-settings.json',
}
const MANAGED_ELSEWHERE = '/etc/claude-code/managed-settings.json'

/** The files that decide whether our hook runs: the settings that are connected first, then the organisation's. */
export function configurationFiles(
  { env, home, platform }: Pick<HostEnvironment, 'env' | 'home' | 'platform'>,
  config: string | undefined,
): readonly { readonly role: 'settings' | 'managed'; readonly file: string }[] {
  const directory = env.CLAUDE_CONFIG_DIR || join(home, '.claude')
  return [
    { role: 'settings', file: config ?? join(directory, 'settings.json') },
    { role: 'managed', file: MANAGED[platform] ?? MANAGED_ELSEWHERE },
  ]
}
