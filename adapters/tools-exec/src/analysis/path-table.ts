import type { PathClass } from './facts.ts'

/** Devices that keep nothing and show nothing. */
export const EMPTY_DEVICES: ReadonlySet<string> = new Set([
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
  '/dev/stdin',
  '/dev/stdout',
  '/dev/stderr',
])

/** Places that everybody may read, and that say nothing about anybody: exceptions of the rules below. */
export const HARMLESS: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/meminfo',
  '/proc/loadavg',
  '/proc/uptime',
  '/proc/version',
  '/proc/self/cgroup',
  '/proc/self/status',
  '/etc/os-release',
  '/etc/debian_version',
  '/etc/lsb-release',
  '/etc/timezone',
  '/etc/localtime',
  '/etc/services',
  '/etc/protocols',
  '/etc/mime.types',
  '/etc/shells',
  '/etc/ssl/certs',
  '/etc/ssl/certs/ca-certificates.crt',
])

/** Files that the sandbox makes itself, alike for everybody. */
export const HARMLESS_INSIDE: ReadonlySet<string> = new Set([
  '/etc/hosts',
  '/etc/hostname',
  '/etc/host.conf',
  '/etc/resolv.conf',
  '/etc/nsswitch.conf',
])

/** Which kind of place lies below which folder. The first that fits holds; the workspace and the home folder come before them. */
export const PREFIXES: readonly (readonly [prefix: string, kind: PathClass])[] = [
  ['/proc', 'proc'],
  ['/dev/shm', 'temp'],
  ['/dev', 'devices'],
  ['/tmp', 'temp'],
  ['/var/tmp', 'temp'],
  ['/var/log', 'logs'],
  ['/usr', 'software'],
  ['/bin', 'software'],
  ['/sbin', 'software'],
  ['/lib', 'software'],
  ['/lib32', 'software'],
  ['/lib64', 'software'],
  ['/libx32', 'software'],
  ['/opt', 'software'],
  ['/nix', 'software'],
  ['/snap', 'software'],
  ['/etc', 'system'],
  ['/boot', 'system'],
  ['/root', 'system'],
  ['/run', 'system'],
  ['/sys', 'system'],
  ['/var', 'system'],
  ['/srv', 'system'],
  ['/mnt', 'system'],
  ['/media', 'system'],
  ['/home', 'other'],
]

/** A place by the names of its last folders, wherever it lies. `below` folders count whole, everything in them included. */
export interface NamedPlace {
  readonly kind: PathClass
  /** Components that must stand in this order, next to each other. */
  readonly names: readonly string[]
  /** `write`: reading it is nothing special. */
  readonly when: 'always' | 'write'
}

function places(kind: PathClass, when: NamedPlace['when'], list: string): NamedPlace[] {
  return list
    .trim()
    .split(/\s+/)
    .map((path) => ({ kind, when, names: path.split('/') }))
}

export const NAMED_PLACES: readonly NamedPlace[] = [
  ...places(
    'agent-config',
    'always',
    `.openclaw .claude .tidegate .clawdbot .moltbot .cursor .codex .gemini .continue .aider.conf.yml .mcp.json .claude.json
     openclaw.json tidegate.yaml .config/claude .config/opencode .config/goose .windsurf mcp.json .codeium .roo .cline`,
  ),
  ...places('agent-config', 'write', 'CLAUDE.md AGENTS.md SKILL.md SOUL.md .cursorrules .github/copilot-instructions.md'),
  ...places(
    'persistence',
    'write',
    `.bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zprofile .zshenv .zlogin .kshrc .inputrc
     .config/autostart .config/systemd .config/fish .config/environment.d .local/share/systemd .local/share/applications
     .git/hooks .git/config .git/info/attributes .gitconfig .config/git .vimrc .exrc .gvimrc .vim .config/nvim .emacs .emacs.d
     .tmux.conf .screenrc .xinitrc .xsession .xprofile .pam_environment .pythonrc .perldb .lesskey .lessfilter .envrc .mailcap
     .ssh/rc .config/pip .pythonstartup .psqlrc .sqliterc .gdbinit .irbrc .Rprofile .curlrc .wgetrc .forward .procmailrc`,
  ),
  ...places(
    'credentials',
    'always',
    `.ssh .aws .azure .kube .gnupg .docker/config.json .netrc _netrc .npmrc .yarnrc.yml .pypirc .git-credentials .pgpass .my.cnf
     .vault-token .config/gcloud .config/gh .config/hub .config/rclone .config/op .config/doctl .oci .boto .s3cfg .terraformrc
     .terraform.d .cargo/credentials .cargo/credentials.toml .gem/credentials .composer/auth.json .m2/settings.xml .password-store
     .local/share/keyrings .mozilla .config/google-chrome .config/chromium .bash_history .zsh_history .python_history
     .node_repl_history .psql_history .mysql_history .lesshst .viminfo id_rsa id_dsa id_ecdsa id_ed25519 .htpasswd
     credentials.json service-account.json etc/shadow etc/gshadow etc/shadow- etc/sudoers etc/sudoers.d etc/ssl/private
     authorized_keys secrets.yml secrets.yaml secrets.json .secrets run/secrets var/run/secrets`,
  ),
]

/** `.env` and its kin hold credentials; the examples that are handed round do not. */
export const ENVIRONMENT_FILE = /^\.env(?:\.(?!(?:example|sample|template|dist|defaults|schema|d)$)[\w.-]+)?$/

/** Folders whose programs are known by their names alone. */
export const PROGRAM_FOLDERS: ReadonlySet<string> = new Set([
  '/bin',
  '/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/games',
])
