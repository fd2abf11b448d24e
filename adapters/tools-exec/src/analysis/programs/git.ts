import type { Program, ProgramTable } from '../program.ts'

const REMOTE: Program = { categories: ['network-client'], reach: 'network', operands: 'scan', mutability: 'write' }
const REMOTE_OPTIONS = {
  command: '--upload-pack --receive-pack --exec -u',
  setting: '-c --config',
  text: '-b --branch --depth -o --origin',
  scan: '--reference --template --separate-git-dir',
} as const
const READ: Program = { operands: 'scan', output: 'content' }
const WRITE: Program = { operands: 'scan', mutability: 'write' }
const MESSAGE: Program = {
  ...WRITE,
  takes: { read: '-F --file -t --template', text: '-m -C -c -S --message --author --date --trailer --cleanup --fixup --squash' },
}

const LOG: Program = {
  ...READ,
  takes: {
    text: `-n -S -G -L -U --format --pretty --author --grep --since --until --after --before --date --max-count --diff-filter --decorate --stat --color
      --word-diff -O --skip --committer --abbrev --inter-hunk-context`,
    write: '--output',
  },
  marks: { '--ext-diff --textconv': { categories: ['execution-hook'] } },
}

/** git: what it does to the repository, what reaches other machines, and the many ways in which it runs something else. */
export const GIT: ProgramTable = {
  git: {
    style: 'posix',
    takes: { setting: '-c --config-env', enter: '-C', scan: '--git-dir --work-tree --exec-path --namespace --super-prefix' },
    marks: { '--exec-path': { categories: ['execution-hook'] } },
    settings:
      /^(?:user\.(?:name|email|signingkey)|color\.\w+|core\.(?:quote[pP]ath|autocrlf|filemode|abbrev|longpaths|ignorecase)|advice\.\w+|init\.defaultBranch|commit\.gpg[sS]ign|tag\.gpg[sS]ign|log\.\w+|diff\.(?:noprefix|renames|algorithm|context)|merge\.conflict[sS]tyle|pull\.(?:rebase|ff)|push\.default|rebase\.auto\w+|safe\.directory|core\.pager|gc\.auto|protocol\.version|fetch\.prune)=(?:(?!.*!)[\w .@<>*=:,-]*)$/,
    verbs: {
      ...Object.fromEntries(
        `status show-branch shortlog describe rev-parse rev-list cat-file ls-tree name-rev merge-base cherry blame annotate whatchanged count-objects
         for-each-ref show-ref check-ignore check-attr var version help symbolic-ref range-diff diff-tree diff-index diff-files verify-commit
         verify-tag fsck ls-files bugreport reflog show log diff shortlog`
          .split(/\s+/)
          .map((verb): [string, Program] => [verb, LOG]),
      ),
      // What they print is one hash or name of a commit, which never begins like an option.
      ...Object.fromEntries(
        'rev-parse merge-base describe symbolic-ref'
          .split(' ')
          .map((verb): [string, Program] => [verb, { ...READ, output: 'token' }]),
      ),
      'ls-files': { ...READ, takes: { text: '-x --exclude', read: '-X --exclude-from' }, output: 'names' },
      diff: { ...LOG, output: 'names' },
      branch: { ...WRITE, output: 'token' },
      reflog: {
        verbs: {
          expire: { operands: 'text', categories: ['history-rewrite'], mutability: 'destructive' },
          delete: { operands: 'text', categories: ['history-rewrite'], mutability: 'destructive' },
        },
        otherwise: LOG,
      },
      grep: {
        takes: { text: '-e -A -B -C -m --max-depth --threads --max-count', read: '-f', command: '-O --open-files-in-pager' },
        marks: { '-O --open-files-in-pager': { categories: ['shell-escape'] } },
        operands: 'pattern',
        output: 'names',
      },
      add: WRITE,
      stage: WRITE,
      mv: WRITE,
      rm: { ...WRITE, mutability: 'destructive' },
      restore: { ...WRITE, mutability: 'destructive' },
      checkout: { ...WRITE, takes: { text: '-b -B --orphan' } },
      switch: { ...WRITE, takes: { text: '-c -C' } },
      commit: MESSAGE,
      merge: { ...MESSAGE, takes: { text: '-m -X -S --message', command: '-s --strategy' }, marks: {} },
      'cherry-pick': MESSAGE,
      revert: MESSAGE,
      tag: MESSAGE,
      notes: MESSAGE,
      stash: { ...MESSAGE, mutability: 'write' },
      reset: { ...WRITE, marks: { '--hard': { mutability: 'destructive' } } },
      clean: { operands: 'scan', takes: { text: '-e --exclude' }, mutability: 'destructive' },
      rebase: { ...WRITE, takes: { command: '-x --exec', text: '--onto -X', scan: '-s --strategy' }, marks: {} },
      init: {
        operands: 'write',
        takes: { text: '-b --initial-branch', scan: '--template --separate-git-dir' },
        marks: { '--template': { categories: ['execution-hook'] } },
        mutability: 'write',
      },
      worktree: {
        verbs: {
          add: { operands: 'scan', takes: { text: '-b -B' }, mutability: 'write' },
          list: READ,
          prune: WRITE,
          remove: { ...WRITE, mutability: 'destructive' },
        },
      },
      apply: {
        operands: 'read',
        takes: { enter: '--directory', text: '-p -C --exclude --include' },
        marks: { '--unsafe-paths': { categories: ['outside-path'] } },
        mutability: 'write',
      },
      am: { operands: 'read', mutability: 'write' },
      'format-patch': { ...READ, takes: { write: '-o --output-directory', text: '-n --subject-prefix' }, mutability: 'write' },
      archive: {
        ...READ,
        takes: { write: '-o --output', text: '--format --prefix', command: '--exec' },
        marks: { '--remote': { categories: ['network-client'], reach: 'network' } },
      },
      bundle: { ...WRITE },
      'hash-object': { ...WRITE },
      'update-index': WRITE,
      'write-tree': WRITE,
      gc: {
        operands: 'none',
        mutability: 'write',
        marks: { '--prune': { categories: ['history-rewrite'], mutability: 'destructive' } },
      },
      maintenance: { operands: 'text', categories: ['persistence'], mutability: 'write' },
      prune: { operands: 'none', categories: ['history-rewrite'], mutability: 'destructive' },
      'update-ref': {
        operands: 'text',
        mutability: 'write',
        marks: { '-d': { categories: ['history-rewrite'], mutability: 'destructive' } },
      },
      'filter-branch': {
        operands: 'text',
        takes: {
          command:
            '--env-filter --tree-filter --index-filter --msg-filter --commit-filter --parent-filter --tag-name-filter --setup',
        },
        categories: ['history-rewrite'],
        mutability: 'destructive',
      },
      'filter-repo': { operands: 'text', categories: ['history-rewrite'], mutability: 'destructive' },
      replace: { operands: 'text', categories: ['history-rewrite'], mutability: 'destructive' },
      push: {
        ...REMOTE,
        takes: { ...REMOTE_OPTIONS, text: '-o --push-option --repo' },
        marks: {
          '--force -f --force-with-lease --mirror --delete -d --prune --force-if-includes': {
            categories: ['history-rewrite'],
            mutability: 'destructive',
          },
        },
      },
      pull: { ...REMOTE, takes: REMOTE_OPTIONS },
      fetch: { ...REMOTE, takes: REMOTE_OPTIONS },
      clone: { ...REMOTE, takes: REMOTE_OPTIONS },
      'ls-remote': { ...REMOTE, takes: REMOTE_OPTIONS },
      'fetch-pack': { ...REMOTE, takes: REMOTE_OPTIONS },
      'send-pack': { ...REMOTE, takes: REMOTE_OPTIONS },
      'send-email': REMOTE,
      'request-pull': REMOTE,
      svn: REMOTE,
      p4: REMOTE,
      'remote-http': REMOTE,
      'remote-https': REMOTE,
      'remote-ext': { ...REMOTE, categories: ['network-client', 'shell-escape'] },
      lfs: REMOTE,
      daemon: { ...REMOTE, categories: ['network-server'] },
      'http-backend': { ...REMOTE, categories: ['network-server'] },
      instaweb: { ...REMOTE, categories: ['network-server'] },
      remote: {
        style: 'posix',
        verbs: {
          show: REMOTE,
          update: REMOTE,
          prune: REMOTE,
          add: { ...WRITE, marks: { '-f': { categories: ['network-client'], reach: 'network' } } },
          'set-url': WRITE,
          'get-url': { ...READ, output: 'token' },
          remove: WRITE,
          rename: WRITE,
        },
      },
      submodule: {
        style: 'posix',
        verbs: {
          foreach: { operands: 'command', categories: ['shell-escape'] },
          status: READ,
          summary: READ,
          update: REMOTE,
          add: REMOTE,
          init: WRITE,
          sync: WRITE,
        },
      },
      bisect: {
        style: 'posix',
        verbs: {
          run: { style: 'posix', operands: 'argv' },
          ...Object.fromEntries(
            `start good bad reset skip log new old terms visualize view`
              .split(' ')
              .map((verb): [string, Program] => [verb, WRITE]),
          ),
        },
      },
      config: {
        style: 'gnu',
        takes: { read: '-f --file', text: '--type --default --get --get-all --get-regexp --unset --unset-all --value' },
        marks: { '--global --system': { categories: ['outside-path'] } },
        operands: 'config',
        mutability: 'write',
      },
      difftool: { ...LOG, takes: { command: '-x --extcmd', text: '-t --tool' }, categories: ['shell-escape'] },
      mergetool: { ...LOG, takes: { text: '-t --tool' }, categories: ['shell-escape'] },
      credential: { operands: 'text', categories: ['credential-path'] },
      'credential-store': { operands: 'text', categories: ['credential-path'] },
      'credential-cache': { operands: 'text', categories: ['credential-path'] },
      shell: { operands: 'text', categories: ['shell-escape'] },
      'sh-setup': { operands: 'text', categories: ['shell-escape'] },
      hook: { operands: 'text', categories: ['shell-escape'] },
      fsmonitor: { operands: 'text', categories: ['shell-escape'] },
    },
  },
  'hg svn bzr cvs fossil jj': {
    style: 'posix',
    takes: { setting: '--config', enter: '-R --cwd' },
    verbs: Object.fromEntries(
      `status st diff log info cat annotate blame add commit ci revert update up`
        .split(' ')
        .map((verb): [string, Program] => [verb, MESSAGE]),
    ),
    otherwise: REMOTE,
  },
  'tig lazygit gitk gitui': { categories: ['shell-escape'], operands: 'text' },
  'pre-commit husky lefthook lint-staged': { operands: 'text', categories: ['workspace-code'], mutability: 'write' },
}
