import { posix } from 'node:path'

/** What kind of file a path names: `control` decides what may be done or what starts by itself, `secret` holds keys and passwords. */
export type Place = 'control' | 'secret' | 'plain'

/** Folders, wherever they stand, all of whose files are of a kind; in lower case. */
const FOLDERS: Readonly<Record<string, Place>> = {
  '.claude': 'control',
  '.tidegate': 'control',
  '.cursor': 'control',
  '.vscode': 'control',
  '.idea': 'control',
  '.husky': 'control',
  '.git': 'control',
  '.openclaw': 'control',
  autostart: 'control',
  launchagents: 'control',
  launchdaemons: 'control',
  'cron.d': 'control',
  '.ssh': 'secret',
  '.aws': 'secret',
  '.azure': 'secret',
  '.gnupg': 'secret',
  '.kube': 'secret',
  '.docker': 'secret',
  gcloud: 'secret',
  tokens: 'secret',
}

/** Files by their names, in lower case. */
const FILES: readonly (readonly [RegExp, Place])[] = [
  [/^(?:tidegate\.yaml|\.mcp\.json|\.claude\.json|managed-settings\.json|claude\.md|agents\.md)$/, 'control'],
  [
    /^\.(?:bash|zsh)(?:rc|_profile|env|_login)$|^\.(?:profile|envrc|gitconfig|npmrc|yarnrc\.yml)$|^(?:crontab|authorized_keys)$/,
    'control',
  ],
  [/^\.env(?:\..+)?$|^\.(?:netrc|pgpass|git-credentials|pypirc)$|^credentials(?:\.json)?$/, 'secret'],
  [/^id_[a-z0-9]+$|\.(?:pem|key|p12|pfx|jks|kdbx|keystore|token)$|^(?:shadow|gshadow|environ)$/, 'secret'],
]

/**
 * Tells what kind of file a path names, by its words alone: links are not followed, so that a link to such a file passes for a plain one.
 * Upper and lower case count as the same, as they do on many disks.
 */
export function placeOf(path: string, cwd: string | undefined): Place {
  const slashes = path.replaceAll('\\', '/')
  const whole = posix.normalize(
    posix.isAbsolute(slashes) || cwd === undefined ? slashes : posix.join(cwd.replaceAll('\\', '/'), slashes),
  )
  const parts = whole
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '')
  const name = parts.at(-1) ?? ''
  const found = [
    ...parts.slice(0, -1).flatMap((part) => (Object.hasOwn(FOLDERS, part) ? [FOLDERS[part]] : [])),
    ...FILES.flatMap(([pattern, place]) => (pattern.test(name) ? [place] : [])),
  ]
  // A secret inside a folder of settings is a secret to its reader, and a setting to its writer.
  if (found.includes('secret')) return 'secret'
  return found.includes('control') ? 'control' : 'plain'
}
