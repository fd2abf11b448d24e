import type { Program, ProgramTable } from '../program.ts'

/** `python -m`: modules that are known to work on the project's own files, and those that do more. */
const PYTHON_MODULE: Program = {
  style: 'posix',
  verbs: Object.fromEntries([
    ...`pytest unittest doctest venv virtualenv json.tool compileall py_compile black isort ruff mypy flake8 pylint coverage build tokenize ast dis
      calendar this sphinx mkdocs pre_commit nose tox nox cython numpy.f2py gzip tarfile zipfile base64 difflib pyclbr inspect platform site sysconfig
      cProfile profile trace pdb flask django gunicorn uvicorn celery alembic jupyter ipykernel nbconvert torch.utils.collect_env main app`
      .split(/\s+/)
      .map((name): [string, Program] => [name, { operands: 'scan', categories: ['workspace-code'] }]),
    ['pip', { categories: ['package-install'], reach: 'network', operands: 'text', mutability: 'write' }],
    ['ensurepip', { categories: ['package-install'], operands: 'text', mutability: 'write' }],
    ['timeit', { categories: ['interpreter-inline'], operands: 'text' }],
    ['code', { categories: ['interpreter-inline'], operands: 'text' }],
    [
      'http.server',
      {
        categories: ['network-server'],
        reach: 'network',
        takes: { read: '-d --directory', text: '-b --bind' },
        operands: 'text',
        isTameInside: true,
      },
    ],
    ['http', { categories: ['network-server'], reach: 'network', operands: 'text' }],
    ['webbrowser', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['ftplib', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['telnetlib', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['smtplib', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['poplib', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['nntplib', { categories: ['network-client'], reach: 'network', operands: 'text' }],
    ['urllib.request', { categories: ['network-client'], reach: 'network', operands: 'text' }],
  ]),
  // A module of the project.
  otherwise: { operands: 'scan', categories: ['workspace-code'] },
}

/** Interpreters of programming languages, and tools that have a language of their own. */
export const INTERPRETERS: ProgramTable = {
  'python python3 python2 pypy pypy3 ipython': {
    style: 'posix',
    takes: { code: '-c', argv: '-m', text: '-W -X --check-hash-based-pycs' },
    marks: { '-i': { categories: ['interpreter-inline'] } },
    operands: 'script',
    instead: '-c -m -V --version -h --help',
    language: 'python',
    stdin: 'code',
    startsAs: 'python:module',
  },
  'python:module': PYTHON_MODULE,
  'node nodejs': {
    style: 'posix',
    takes: {
      code: '-e -p -pe --eval --print',
      script: '-r --require --import --loader --experimental-loader',
      text: '--test-name-pattern --test-reporter --env-file --stack-size',
      scan: '-C --conditions',
    },
    marks: {
      '-i --interactive': { categories: ['interpreter-inline'] },
      '--inspect --inspect-brk --inspect-wait': { categories: ['network-server'] },
    },
    operands: 'script',
    instead: '-e -p -pe --eval --print --test -v --version -h --help --check',
    language: 'javascript',
    stdin: 'code',
  },
  perl: {
    style: 'posix',
    takes: { code: '-e -E', script: '-M -m', scan: '-I -x', text: '-F' },
    marks: { '-i': { mutability: 'write' }, '-d': { categories: ['interpreter-inline'] } },
    operands: 'script',
    instead: '-e -E -v -V --version',
    language: 'perl',
    stdin: 'code',
  },
  'ruby jruby': {
    style: 'posix',
    takes: { code: '-e', scan: '-I -C -r', text: '-F -E' },
    operands: 'script',
    instead: '-e -v --version',
    language: 'ruby',
    stdin: 'code',
  },
  'php php-cgi': {
    style: 'posix',
    takes: { code: '-r -B -R -E --run', script: '-f -F', setting: '-d', text: '-t' },
    marks: { '-S': { categories: ['network-server'] }, '-a': { categories: ['interpreter-inline'] } },
    operands: 'script',
    instead: '-r -v -l -m -i --version',
    language: 'php',
    stdin: 'code',
    settings: /^(?:memory_limit|display_errors|error_reporting|max_execution_time)=/,
  },
  'lua luajit texlua': {
    style: 'posix',
    takes: { code: '-e', script: '-l' },
    operands: 'script',
    instead: '-e -v',
    stdin: 'code',
  },
  'tclsh wish expectk guile racket sbcl clisp ghci ocaml erl elixir iex julia Rscript R groovy scala jshell kotlinc octave gnuplot swipl gforth':
    {
      style: 'posix',
      takes: { code: '-e -c -E --eval -eval', script: '-l --load -f' },
      operands: 'script',
      instead: '-e -E --eval -eval --version -version',
      stdin: 'code',
    },
  deno: {
    verbs: {
      eval: { operands: 'code', language: 'other' },
      run: {
        operands: 'scan',
        categories: ['workspace-code'],
        marks: { '-A --allow-all --allow-net --allow-run': { categories: ['network-client'], reach: 'network' } },
      },
      test: { operands: 'scan', categories: ['workspace-code'] },
      fmt: { operands: 'read', mutability: 'write' },
      lint: { operands: 'read' },
      check: { operands: 'read' },
      install: { operands: 'text', categories: ['package-install'], reach: 'network' },
    },
    otherwise: { operands: 'scan', categories: ['interpreter-inline'] },
  },
  'awk gawk mawk nawk original-awk': {
    style: 'posix',
    takes: {
      text: '-F -v --field-separator --assign',
      script: '-f -i -E --file --include --exec',
      code: '-e --source',
      scan: '-l --load',
    },
    operands: 'code',
    instead: '-f --file -e --source --version',
    language: 'awk',
    output: 'content',
  },
  'sed gsed': {
    takes: { code: '-e --expression', script: '-f --file', text: '-l' },
    marks: { '-i --in-place': { mutability: 'write' } },
    operands: 'code',
    instead: '-e -f --expression --file --version',
    language: 'sed',
  },
  jq: {
    takes: { text: '--indent', read: '--from-file -f', scan: '-L' },
    named: { text: '--arg --argjson', read: '--slurpfile --rawfile' },
    operands: 'pattern',
    instead: '-f --from-file',
  },
  'yq xq tomlq dasel gojq fx': {
    takes: { text: '--arg' },
    marks: { '-i --inplace': { mutability: 'write' } },
    operands: 'pattern',
  },
  bc: { takes: { text: '-e --expression', read: '-f --file' }, output: 'token' },
  dc: {
    takes: { code: '-e --expression', script: '-f --file' },
    operands: 'script',
    instead: '-e --expression',
    language: 'other',
    output: 'token',
  },
  m4: { takes: { text: '-D', scan: '-I' }, categories: ['interpreter-inline'] },
  'sqlite3 duckdb litecli': {
    takes: { code: '-cmd --cmd', script: '-init --init' },
    style: 'words',
    operands: 'database',
    stdin: 'code',
    language: 'sql',
    mutability: 'write',
  },
  'psql mysql mariadb mongosh mongo redis-cli cqlsh sqlcmd clickhouse-client pg_dump mysqldump pg_restore createdb dropdb': {
    takes: { text: '-c -e -h -U -d -p -P -u --command --execute', read: '-f --file', write: '-o --output' },
    operands: 'text',
    categories: ['network-client'],
    reach: 'network',
    mutability: 'write',
  },
  'gdb lldb': {
    style: 'words',
    takes: { code: '-ex --ex -eval-command --eval-command -iex -o', script: '-x --command -ix', argv: '--args -args' },
    marks: { '-p -pid --pid': { categories: ['process-control'] } },
    operands: 'scan',
    stdin: 'code',
    language: 'gdb',
  },
  java: {
    style: 'words',
    takes: { scan: '-cp -classpath -jar --module-path -m' },
    operands: 'scan',
    categories: ['workspace-code'],
    mutability: 'write',
  },
}
