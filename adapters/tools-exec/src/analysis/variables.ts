import { type Field, originOf, prefixOf, textOf, type Value } from './field.ts'
import type { Shell } from './outcome.ts'
import type { State } from './state.ts'

/** What setting a variable does to programs that come later. */
type Effect =
  /** The value is run by a shell. */
  | 'command'
  /** The value names code that is loaded, or makes a program do something else. */
  | 'hook'
  /** A hook, unless the value is plainly harmless. */
  | 'options'
  /** A list of folders to search. */
  | 'search'

const EFFECTS: Readonly<Record<Effect, string>> = {
  command: `PAGER GIT_PAGER MANPAGER EDITOR VISUAL GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_SSH_COMMAND GIT_SSH GIT_ASKPASS SSH_ASKPASS SUDO_ASKPASS
    GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND BROWSER LESSOPEN LESSCLOSE PROMPT_COMMAND RSYNC_RSH CVS_RSH FCEDIT HGEDITOR SVN_EDITOR SVN_SSH TAR_RSH
    PSQL_PAGER SYSTEMD_PAGER DELTA_PAGER BAT_PAGER AWS_PAGER KUBE_EDITOR SHELL`,
  hook: `LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT BASH_ENV ENV PS0 PS1 PS2 PS4 SHELLOPTS BASHOPTS PYTHONSTARTUP PYTHONINSPECT PYTHONHOME PYTHONBREAKPOINT
    PERL5OPT PERL5DB PERLLIB PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM
    GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_CONFIG GCONV_PATH LOCPATH GLIBC_TUNABLES NODE_EXTRA_CA_CERTS
    PHPRC PHP_INI_SCAN_DIR LUA_INIT TCLLIBPATH MANOPT VIMINIT EXINIT GVIMINIT INPUTRC TERMINFO TAR_OPTIONS RIPGREP_CONFIG_PATH CURL_HOME
    WGETRC OPENSSL_CONF GTK_MODULES QT_PLUGIN_PATH BASH_FUNC_x%% MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES RUSTC_WRAPPER CC_WRAPPER
    npm_config_script_shell npm_config_node_options npm_config_registry NPM_CONFIG_REGISTRY PIP_INDEX_URL GOPROXY GOFLAGS
    BASH_CMDS BASH_ALIASES DOCKER_HOST KUBECONFIG SSH_AUTH_SOCK http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy`,
  options:
    'NODE_OPTIONS LESS GREP_OPTIONS BUN_OPTIONS DENO_OPTIONS PYTEST_ADDOPTS MAVEN_OPTS GRADLE_OPTS JAVA_OPTS PYTHONWARNINGS',
  search: `PATH PYTHONPATH NODE_PATH CLASSPATH GOPATH CDPATH MANPATH PKG_CONFIG_PATH GIT_DIR GIT_WORK_TREE GOCACHE TMPDIR HOME XDG_CONFIG_HOME
    GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_TRACE GIT_TRACE2 GIT_TRACE_PACKET GIT_TRACE_SETUP
    GIT_TRACE2_EVENT GIT_TRACE2_PERF GIT_TRACE_PERFORMANCE GIT_TRACE_CURL NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS PYTHONPYCACHEPREFIX COVERAGE_FILE
    XDG_CACHE_HOME XDG_DATA_HOME CARGO_HOME CARGO_TARGET_DIR npm_config_cache npm_config_prefix HISTFILE`,
}

const EFFECT_OF: ReadonlyMap<string, Effect> = new Map(
  Object.entries(EFFECTS).flatMap(([effect, names]) =>
    // The keys of the table are effects: its type says so.
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, effect as Effect] as const),
  ),
)

const HARMLESS_COMMANDS = new Set(['', 'cat', 'less', 'more', 'true', ':', 'bash', 'sh', '/bin/bash', '/bin/sh', 'echo'])
const HARMLESS_OPTIONS =
  /^(?:(?:--max-old-space-size=\d+|--max-semi-space-size=\d+|--no-warnings|--no-deprecation|--trace-warnings|--enable-source-maps|--test|-[FRXSiMq]+|--color(?:=\w+)?|-X(?:mx|ms|ss)\d+[kmgKMG]?|-q+|-v+|-x|ignore(?:::\w+)?|error|default)\s*)*$/
const HARMLESS_IFS = /^(?:[\n\t ,:;|/=.-]{0,3})$/

/** Says what an assignment means beyond itself, by a table of names. */
export function noteAssignment(
  name: string,
  value: Value,
  { shell, state, via }: { readonly shell: Shell; readonly state: State; readonly via: readonly string[] },
): void {
  const { findings } = shell
  for (const field of value) {
    if (originOf(field) === 'derived') findings.category('obfuscated')
    const source = textOf(field)
    if (source !== null && hidesSubstitution(source)) findings.category('obfuscated')
    if (name === 'IFS') {
      findings.variable(name)
      if (source === null || !HARMLESS_IFS.test(source)) findings.category('obfuscated')
    }
  }
  const effect = EFFECT_OF.get(name) ?? (/^(?:BASH_FUNC_|GIT_CONFIG_(?:KEY|VALUE)_|LD_)/.test(name) ? 'hook' : undefined)
  if (effect === undefined) return
  findings.variable(name)
  for (const field of value) note(effect, field, { shell, state, via })
}

function note(
  effect: Effect,
  field: Field,
  { shell, state, via }: { readonly shell: Shell; readonly state: State; readonly via: readonly string[] },
): void {
  const source = textOf(field)
  if (effect === 'search') {
    for (const part of (source ?? prefixOf(field)).split(':'))
      if (part !== '') shell.findings.path([{ kind: 'text', text: part }], 'read', state.cwds)
    if (source === null && !['environment', 'token', null].includes(originOf(field))) shell.findings.category('execution-hook')
    return
  }
  if (effect === 'options' && source !== null && HARMLESS_OPTIONS.test(source)) return
  if (effect === 'command' && source !== null) {
    if (!HARMLESS_COMMANDS.has(source)) {
      shell.findings.category('execution-hook')
      shell.text(source, state, via)
    }
    return
  }
  if (source !== '') shell.findings.category('execution-hook')
}

/** A text that the shell would run when it is taken as a subscript: `a[$(...)]`. */
export function hidesSubstitution(source: string): boolean {
  return /\[[^\]]{0,200}(?:\$\(|`)/.test(source)
}
