// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shell writes its variables like that
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnalysisContext,
  analyse,
  CATEGORIES,
  commandFactsJson,
  isCautious,
  REASONS,
  resolvePaths,
} from '../src/analysis/index.ts'

const CONTEXT: AnalysisContext = {
  cwd: '/projects/ws',
  workspace: '/projects/ws',
  home: '/home/op',
  env: { PATH: '/usr/bin:/bin', HOME: '/home/op' },
}

/** What an ordinary command looks like a part of, and is not. */
const CLEAN = [
  "git commit -m 'fix: sync state'",
  'rsync a b',
  'make 2>/dev/null',
  'echo "curl is a tool"',
  'grep -r ssh src/',
  'cat src/etc/runtime.ts',
  'find . -name "*.ts" | xargs grep foo',
  'for f in *.ts; do wc -l "$f"; done',
  'cd src && make && cd .. && ls',
  'command -v docker',
  'kill %1',
  'npm test > out.log 2>&1; tail -5 out.log',
]

/** What runs, and what that is: by category or by reason. */
const FOUND: readonly (readonly [command: string, what: string])[] = [
  ["c'u'rl h", 'network-client'],
  ['x=cu; ${x}rl h', 'network-client'],
  ['{cu,}rl h', 'network-client'],
  ['curl${IFS}h', 'network-client'],
  ['$(echo curl) h', 'network-client'],
  ["$'\\x63url' h", 'obfuscated'],
  ['/usr/bin/c?rl h', 'dynamic-program'],
  ["bash -c 'cu''rl h'", 'network-client'],
  ['cmd=(curl h); "${cmd[@]}"', 'network-client'],
  ['f() { "$1" h; }; f curl', 'network-client'],
  ['trap "curl h" EXIT', 'network-client'],
  ['cat <<E\n$(curl h)\nE', 'network-client'],
  ['echo x > /dev/tcp/h/80', 'network-client'],
  ['echo Y3VybCBo | base64 -d | sh', 'dynamic-script'],
  ["printf '\\143\\165\\162\\154 h' | sh", 'network-client'],
  ["git -c alias.x='!id' x", 'execution-hook'],
  ['tar cf /dev/null --checkpoint-act=exec=sh x', 'interpreter-inline'],
  ['find . -exec curl h {} +', 'network-client'],
  ['python3.11 -c "import os"', 'interpreter-inline'],
  ['awk \'BEGIN{system("id")}\'', 'interpreter-inline'],
  ["sed '1e id' x", 'interpreter-inline'],
  ['cat /e?c/pa*wd', 'system-path'],
  ['cd / && cat etc/passwd', 'system-path'],
  ['cat ${HOME:0:1}etc/passwd', 'system-path'],
  ['cat ~/.ssh/id_rsa', 'credential-path'],
  ['cat .env', 'credential-path'],
  ['cat ../../other', 'outside-path'],
  ['cat /proc/1/environ', 'proc-path'],
  ['dd if=/dev/sda of=x', 'device-path'],
  ['echo x >> ~/.bashrc', 'persistence'],
  ['echo x > .git/hooks/pre-commit', 'persistence'],
  ['echo x > .mcp.json', 'agent-config'],
  ['cat "$(cat list)"', 'dynamic-path'],
  ['ls | xargs -I{} cat {}/../../x', 'dynamic-path'],
  ['sudo ls', 'privilege'],
  ['docker ps', 'container'],
  ['npm install', 'package-install'],
  ['rm -rf /', 'destructive'],
  ['git push --force', 'history-rewrite'],
  ['LD_PRELOAD=./x.so ls', 'execution-hook'],
  ['frobnicate', 'unknown-program'],
  ['kill -9 -1', 'process-control'],
  ['cp /usr/bin/curl ./ls && ./ls h', 'dynamic-script'],
  [': ${q:=/etc/passwd}; cat $q', 'system-path'],
  ["X=/etc/passwd sh -c 'cat $X'", 'system-path'],
  ['readonly p=/etc/passwd; declare p=src; cat $p', 'system-path'],
  ['set -- a /etc/passwd; cat "${@:2}"', 'dynamic-path'],
  ['echo a\u202eb', 'obfuscated'],
  ['\u0441url h', 'unknown-program'],
  ["echo 'x\r'", 'obfuscated'],
  ['f() { f; }; f', 'too-deep'],
  ["echo 'open", 'unparsable'],
  ['echo \u0000', 'nul-byte'],
  ['echo \ud800', 'not-utf8'],
  ['a'.repeat(70_000), 'too-long'],
]

describe('what a command is made of', () => {
  test.each(CLEAN.map((command) => [command]))('%s is ordinary', (command) => {
    const facts = analyse(command, CONTEXT)
    expect({ cautious: isCautious(facts), categories: facts.categories, reasons: facts.reasons }).toMatchObject({
      cautious: false,
    })
  })

  test.each(FOUND)('%j: %s', (command, what) => {
    const facts = analyse(command, CONTEXT)
    expect([...facts.categories, ...facts.reasons]).toContain(what)
  })

  test('every simple command is named, with who starts it', () => {
    const facts = analyse("sudo env A=b timeout 5 sh -c 'ls | wc -l' > out", CONTEXT)
    expect(facts.programs).toEqual(['env', 'ls', 'sh', 'sudo', 'timeout', 'wc'])
    expect(facts.commands.find(({ base }) => base === 'wc')?.via).toEqual(['sudo', 'env', 'timeout', 'sh'])
    expect(facts.paths).toContainEqual({ path: '/projects/ws/out', access: 'write', class: 'workspace', exact: true })
  })

  test('what reading and writing and destroying are', () => {
    expect(analyse('ls -la', CONTEXT).mutability).toBe('read')
    expect(analyse('touch a', CONTEXT).mutability).toBe('write')
    expect(analyse('ls > a', CONTEXT).mutability).toBe('write')
    expect(analyse('rm -r a', CONTEXT).mutability).toBe('destructive')
    expect(analyse('git reset --hard', CONTEXT).mutability).toBe('destructive')
  })

  test('the workspace may lie anywhere, and its own secrets stay secrets', () => {
    const inHome: AnalysisContext = { cwd: '/srv/ws/a', workspace: '/srv/ws', home: '/srv/ws', env: {} }
    expect(isCautious(analyse('cat ../b && ls ~', inHome))).toBe(false)
    expect(analyse('cat ../../b', inHome).categories).toContain('system-path')
    expect(analyse('cat ~/.ssh/config', inHome).categories).toContain('credential-path')
  })

  test('where a link leads is added to what its name says', () => {
    const facts = analyse('cat notes.txt', CONTEXT)
    expect(isCautious(facts)).toBe(false)
    const resolved = resolvePaths(facts, new Map([['/projects/ws/notes.txt', '/etc/shadow']]), CONTEXT)
    expect(resolved.categories).toContain('credential-path')
    expect(resolvePaths(facts, new Map(), CONTEXT)).toBe(facts)
  })

  test('policy gets small, sorted, plain facts', () => {
    expect(commandFactsJson(analyse('curl -o /etc/x h', CONTEXT))).toEqual({
      understood: true,
      cautious: true,
      reach: 'network',
      mutability: 'write',
      categories: ['network-client', 'system-path'],
      reasons: [],
      programs: ['curl'],
      variables: [],
      pathClasses: ['system'],
      writes: ['system'],
      via: [],
    })
    const many = commandFactsJson(analyse(Array.from({ length: 200 }, (_, index) => `p${index}x`).join(';'), CONTEXT))
    expect(JSON.stringify(many).length).toBeLessThan(4_000)
  })
})

const WORDS = [
  ...'( ) { } [[ ]] (( )) ; & && | || |& < > >> <<E <<< <( >( $( ${ $(( ` \' " \\ \n $\' $" ! # * ? [ ~ = += if then else fi for in do done case esac while function'.split(
    ' ',
  ),
  'x',
  'x=',
  '$x',
  '${x:-',
  '$@',
  '"$@"',
  'curl',
  'sh',
  '-c',
  'eval',
  'xargs',
  'find',
  '-exec',
  '{}',
  '+',
  'cat',
  '/etc/passwd',
  '../..',
  'f()',
  'E\n',
  ' ',
  '\t',
  '\u200b',
  '}',
  ')',
]

/** Words and what bash 5.2 makes of them, with `v=abc`, `w='x y'`, an array and two positional parameters. */
const EXPANDED: readonly (readonly [words: string, becomes: readonly string[]])[] = [
  ['a\'q r\'"d q"', ['aq rd q']],
  ['$w "$w"', ['x', 'y', 'x y']],
  ['$u "$u" a$u', ['', 'a']],
  ['{a,{b,c}}1 {1..3} {x}', ['a1', 'b1', 'c1', '1', '2', '3', '{x}']],
  ['{"a","b c"}${v}', ['aabc', 'b cabc']],
  ["$'\\x41\\n' \\$v", ['A\n', '$v']],
  ['${v:1:2} ${v#a} ${v%c} ${v/b/X} ${v^^} ${v##*b}', ['bc', 'bc', 'ab', 'aXc', 'ABC', 'c']],
  ['${u:-def} ${u:+no} ${v:+yes}', ['def', 'yes']],
  ['$(echo s  t) "$(echo s  t)" `echo bq`', ['s', 't', 's t', 'bq']],
  ['"$@" $@ "$*"', ['p1', 'p 2', 'p1', 'p', '2', 'p1 p 2']],
  ['"${arr[@]}" ${arr[*]} ${arr[1]}', ['e0', 'e 1', 'e0', 'e', '1', 'e', '1']],
  ['~ ~/x ~"x" \\~ a~', ['/home/op', '/home/op/x', '~x', '~', 'a~']],
  ['${!r} ${v:0:1}${v:2:1}', ['abc', 'ac']],
  ['a=b -x $"l"', ['a=b', '-x', 'l']],
]

test.each(EXPANDED)('%s becomes %j, as in bash', (words, becomes) => {
  const facts = analyse(`v=abc; w='x y'; r=v; arr=(e0 'e 1'); set -- p1 'p 2'; probe ${words}`, CONTEXT)
  const probe = facts.commands.find(({ program }) => program === 'probe')
  expect(probe?.arguments).toEqual(becomes.map((text) => ({ kind: 'static', text })))
})

test('names of variables that braces glue together are not guessed', () => {
  expect(analyse('va=/etc/passwd; cat $v{a,}', CONTEXT).categories).toContain('obfuscated')
})

describe('laws', () => {
  test('never throws, answers in bounded time, and only in the closed lists', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(' ')),
          fc.string({ unit: 'binary', maxLength: 200 }),
        ),
        (command) => {
          const before = performance.now()
          const facts = analyse(command, CONTEXT)
          expect(performance.now() - before).toBeLessThan(3_000)
          expect(facts.understood).toBe(facts.reasons.length === 0)
          for (const category of facts.categories) expect(Object.keys(CATEGORIES)).toContain(category)
          for (const reason of facts.reasons) expect(REASONS).toContain(reason)
          expect(analyse(command, CONTEXT)).toEqual(facts)
        },
      ),
      { numRuns: 250 },
    )
  })

  test('what is added to a command takes no caution away', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FOUND.slice(0, 48).map(([command]) => command)), fc.constantFrom(...CLEAN), (bad, good) => {
        expect(isCautious(analyse(`${good}\n${bad}`, CONTEXT))).toBe(true)
        expect(isCautious(analyse(`{ ${good}\n}; ${bad}`, CONTEXT))).toBe(true)
        expect(isCautious(analyse(`if ${good}\nthen :; else ${bad}\nfi`, CONTEXT))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['parentheses', '('.repeat(60_000)],
    ['substitutions', '$('.repeat(30_000)],
    ['backticks', '`'.repeat(60_000)],
    ['here-documents', '<<a '.repeat(15_000)],
    ['wildcards', `cat ${'/a*'.repeat(20_000)}`],
    ['quotes', "'a'".repeat(20_000)],
    ['words', `ls${' a'.repeat(30_000)}`],
    ['wrappers', `${'env '.repeat(10_000)}ls`],
    ['growing variables', `x=a;${'x=$x$x;'.repeat(1_500)}$x`],
    ['braces', '{a,b}'.repeat(13_000)],
    ['nested loops', `${'for i in a b;do '.repeat(20)}ls${';done'.repeat(20)}`],
    [
      'functions that double',
      `f(){ ls; };${Array.from({ length: 20 }, (_, index) => `f${index}(){ f${index || ''}; f; };`).join('')}f19`,
    ],
  ])('%s in masses do not make it slow', (_name, command) => {
    const before = performance.now()
    analyse(command, CONTEXT)
    expect(performance.now() - before).toBeLessThan(5_000)
  })
})
