import type { Program, ProgramTable } from '../program.ts'

const INSTALL: Program = { categories: ['package-install'], reach: 'network', operands: 'scan', mutability: 'write' }
const SCRIPT: Program = { categories: ['workspace-code'], operands: 'scan', mutability: 'write' }
const READ: Program = { operands: 'text', output: 'content' }
const REMOTE: Program = { categories: ['network-client'], reach: 'network', operands: 'scan', mutability: 'write' }
const WRITE: Program = { operands: 'scan', mutability: 'write' }

function verbs(list: string, program: Program): Record<string, Program> {
  return Object.fromEntries(
    list
      .trim()
      .split(/\s+/)
      .map((verb) => [verb, program]),
  )
}

/** `npm config set script-shell` and its like change what every later script runs in. */
const NPM_CONFIG: Program = {
  verbs: {
    ...verbs('get list ls', READ),
    ...verbs('set delete edit', { operands: 'text', categories: ['execution-hook', 'persistence'], mutability: 'write' }),
  },
  otherwise: READ,
}

/** `npm pkg set`: a script that is set is a command that runs later. */
const PACKAGE_FIELDS: Program = {
  operands: 'setting',
  settings:
    /^(?:version|name|description|license|private|type|main|module|types|author|homepage|keywords\S*|engines\.\w+|repository\S*)=/,
  mutability: 'write',
}

const NODE: Program = {
  style: 'posix',
  takes: { enter: '-C --prefix --cwd --dir', text: '-w --workspace --filter -F', scan: '--userconfig --globalconfig' },
  verbs: {
    ...verbs(
      'install i add ci update upgrade up dedupe link audit create dlx x import rebuild uninstall remove rm un fetch patch',
      INSTALL,
    ),
    ...verbs(
      'run run-script test t tst start stop restart build dev lint format typecheck check e2e coverage watch preview clean prepare',
      {
        ...SCRIPT,
        marks: { '--script-shell': { categories: ['execution-hook'] } },
      },
    ),
    ...verbs(
      'ls list ll la explain why root prefix bin help version -v --version query fund outdated diff config:get whoami cache',
      READ,
    ),
    ...verbs(
      'outdated view info show search publish unpublish deprecate login logout adduser token owner dist-tag access ping whoami audit star profile doctor',
      REMOTE,
    ),
    ...verbs('version pack prune shrinkwrap', { ...WRITE, operands: 'text' }),
    // `npm init` alone writes a file; with a name it fetches and runs somebody's code.
    init: { verbs: {}, otherwise: INSTALL, mutability: 'write' },
    exec: {
      style: 'posix',
      operands: 'argv',
      takes: { command: '-c --call', text: '-p --package' },
      marks: { '-p --package -y --yes -c --call': { categories: ['package-install'], reach: 'network' } },
      categories: ['workspace-code'],
    },
    pkg: { verbs: { get: READ, fix: WRITE, set: PACKAGE_FIELDS, delete: { ...WRITE, operands: 'text' } } },
    'set-script': { operands: 'text', categories: ['execution-hook'], mutability: 'write' },
    config: NPM_CONFIG,
    c: NPM_CONFIG,
    set: { operands: 'text', categories: ['execution-hook', 'persistence'], mutability: 'write' },
    get: READ,
    edit: { operands: 'text', categories: ['shell-escape'] },
    explore: { operands: 'text', categories: ['shell-escape'] },
  },
  // yarn, pnpm and bun take the name of a script as a verb.
  otherwise: SCRIPT,
}

const PIP: Program = {
  style: 'posix',
  takes: { scan: '--python --cache-dir --log' },
  verbs: {
    ...verbs('install download wheel index search', INSTALL),
    ...verbs('list freeze show check inspect hash help debug cache', READ),
    config: {
      verbs: verbs('list get debug', READ),
      otherwise: { operands: 'text', categories: ['execution-hook', 'persistence'], mutability: 'write' },
    },
    uninstall: WRITE,
  },
}

/** What fetches the code of others, and what only looks at it. */
export const PACKAGES: ProgramTable = {
  npm: NODE,
  'pnpm yarn bun cnpm': NODE,
  // What the project has installed is run as it is; whatever no table knows would be fetched, and is an unknown program.
  'npx pnpx bunx uvx': {
    style: 'posix',
    takes: { text: '-p --package --spec --from', command: '-c --call' },
    marks: { '-p --package --from --spec -y --yes -c --call': { categories: ['package-install'], reach: 'network' } },
    categories: ['workspace-code'],
    operands: 'argv',
  },
  pipx: INSTALL,
  corepack: INSTALL,
  'nvm fnm volta asdf mise rtx pyenv rbenv sdk rustup ghcup jenv goenv': {
    verbs: verbs('list ls current which versions version global local use', READ),
    otherwise: INSTALL,
  },
  'pip pip3 pipenv:pip': PIP,
  uv: {
    style: 'posix',
    verbs: {
      run: { style: 'posix', operands: 'argv', takes: { text: '--with --python -p', read: '--env-file' } },
      pip: PIP,
      ...verbs('sync add remove lock venv tool python init build publish', INSTALL),
      ...verbs('tree version', READ),
    },
  },
  'poetry pdm hatch rye pipenv': {
    style: 'posix',
    verbs: {
      run: { style: 'posix', operands: 'argv' },
      ...verbs('install add update lock sync publish self init new', INSTALL),
      ...verbs('show list check env config version shell build remove export about', { ...READ, mutability: 'write' }),
      shell: { operands: 'text', categories: ['shell-escape'] },
    },
  },
  'conda mamba micromamba': {
    verbs: {
      ...verbs('list info env config activate deactivate', READ),
      run: { style: 'posix', takes: { text: '-n -p' }, operands: 'argv' },
    },
    otherwise: INSTALL,
  },
  'apt apt-get aptitude dnf yum zypper pacman apk brew snap flatpak port nix nix-env nix-shell emerge xbps-install pkg opkg guix choco winget scoop':
    {
      style: 'posix',
      takes: { setting: '-o --option' },
      verbs: { ...verbs('list show policy info search depends rdepends --version -v why', READ) },
      otherwise: INSTALL,
    },
  'apt-cache apt-mark rpm dpkg-query dpkg-deb apt-file apt-config': { operands: 'scan', takes: { text: '-f -W -l -q' } },
  dpkg: {
    takes: { setting: '--pre-invoke --post-invoke' },
    marks: {
      '-i --install --unpack --configure -r -P --remove --purge --force-all': {
        categories: ['package-install'],
        mutability: 'write',
      },
    },
    operands: 'scan',
  },
  'gem bundle bundler': {
    style: 'posix',
    verbs: {
      exec: { style: 'posix', operands: 'argv' },
      ...verbs('list show info check outdated env platform', READ),
      open: { operands: 'text', categories: ['shell-escape'] },
    },
    otherwise: INSTALL,
  },
  composer: {
    verbs: {
      ...verbs('show validate licenses outdated diagnose dump-autoload why', READ),
      exec: { style: 'posix', operands: 'argv' },
      ...verbs('run run-script test', SCRIPT),
    },
    otherwise: INSTALL,
  },
  'cpan cpanm luarocks opam cabal stack mix rebar3 pub dart flutter pod carthage swift helm krew go-get vcpkg conan spack': {
    verbs: { ...verbs('test build run list version analyze format lint template doc', SCRIPT) },
    otherwise: INSTALL,
  },
  'code codium cursor': {
    marks: { '--install-extension': { categories: ['package-install'], reach: 'network' } },
    operands: 'scan',
  },
}
