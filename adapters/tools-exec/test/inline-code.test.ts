// biome-ignore-all lint/suspicious/noTemplateCurlyInString: JavaScript writes its templates like that
import { describe, expect, test } from 'vitest'
import { kindOf, readCommand } from '../src/index.ts'
import { readCode } from '../src/analysis/code/read-code.ts'
import type { Language } from '../src/analysis/program.ts'

/** What people and agents hand over to look at data. */
const PLAIN: readonly (readonly [Language, string])[] = [
  ['python', "import json\nd = json.load(open('package.json'))\nprint(sorted(d['scripts']))"],
  ['python', "import re, pathlib\np = pathlib.Path('src/app.py')\ns = p.read_text()\np.write_text(re.sub(r'foo\\(', 'bar(', s))"],
  ['python', "import csv; rows=list(csv.DictReader(open('sales.csv'))); print(len(rows), rows[0].keys())"],
  [
    'python',
    "from collections import Counter\nfor k, n in Counter(line.split('/')[0] for line in open('paths.txt')).most_common(5):\n    print(f'{k:>10} {n}')",
  ],
  ['python', 'import os\nfor root, dirs, files in os.walk("src"):\n    print(root, len(files), os.path.join(root, "x"))'],
  ['python', "import pandas as pd\nprint(pd.read_csv('a.csv').describe())"],
  ['python', "from src.app import parse\nassert parse('a+b') == ['a', '+', 'b']"],
  ['python', "import sys, json\nprint(json.load(sys.stdin)['a'])"],
  ['python', "# what curl would do\nurl = 'http://localhost:3000/api'\nprint(url.replace('http:', 'https:'))"],
  [
    'javascript',
    "const fs = require('fs')\nconst rows = fs.readFileSync('data.csv','utf8').split('\\n')\nconsole.log(rows.length)",
  ],
  ['javascript', "import {parse} from './src/parser.js'; console.log(parse('a+b'))"],
  [
    'javascript',
    "import { readFileSync } from 'node:fs'\nconsole.log(JSON.parse(readFileSync('a.json', 'utf8')).name.replace(/['\"]/g, ''))",
  ],
  ['javascript', 'process.env.FOO'],
  ['javascript', 'const t = `${process.argv[2]}/src`; console.log(t.length / 2)'],
  ['javascript', "const c = require('crypto'); console.log(c.createHash('sha256').update('a').digest('hex'))"],
  ['c', '#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); return 0; }'],
  ['c', '#include <vector>\n#include <iostream>\nint main() { std::vector<int> v{1, 2}; std::cout << v.size() << "\\n"; }'],
  ['go', 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() { b, _ := os.ReadFile("a.txt"); fmt.Println(len(b)) }'],
  ['java', 'public class Main { public static void main(String[] a) { System.out.println("hi"); } }'],
  ['rust', 'fn main() { let s = std::fs::read_to_string("a.txt").unwrap(); println!("{}", s.len()); }'],
  ['ruby', "puts JSON.parse(File.read('a.json')).keys"],
  ['php', 'echo PHP_VERSION;'],
]

/** What nobody here has read, and why. */
const UNREAD: readonly (readonly [Language, string, why: string])[] = [
  ['python', 'import socket', 'talks to others'],
  ['python', 'import  urllib . request', 'spaces in a name'],
  ['python', 'import json, subprocess', 'the second of two'],
  ['python', 'from os import system', 'by its name alone'],
  ['python', 'import os as o; o.system("id")', 'by another name'],
  ['python', "__import__('os').popen('id')", 'a function that imports'],
  ['python', "getattr(__builtins__, 'ev' + 'al')('1')", 'a name that is built'],
  ['python', '().__class__.__base__.__subclasses__()', 'what the interpreter is made of'],
  ['python', "'{0.__class__}'.format(1)", 'the same, in a text'],
  ['python', "open('\\x2fsrv/x')", 'a text spelt by numbers'],
  ['python', "open(chr(47) + 'srv')", 'a letter by its number'],
  ['python', 'open(bytes([47, 115]))', 'a text of numbers'],
  ['python', "import base64; open(base64.b64decode('L3Nydg=='))", 'a text that is decoded'],
  ['python', "print('%c' % 47)", 'a letter by its number'],
  ['python', "print(f'{47:c}')", 'the same, in a value of a text'],
  ['python', 'open(input())', 'a file whose name comes from outside'],
  ['python', 'import sys\nfor f in sys.stdin: print(open(f.strip()).read())', 'the same'],
  ['python', "import os; open(os.environ['X'])", 'the same'],
  ['python', 'open(__import__)', 'a name of the interpreter'],
  ['python', '\uff45val("1")', 'letters that look like others'],
  ['python', '# -*- coding: rot13 -*-\nvzcbeg bf', 'another alphabet'],
  ['python', 'import shutil; shutil.rmtree(".")', 'destroys'],
  ['python', 'f\'{__import__("os")}\'', 'a value in a text'],
  ['python', "import pandas; pandas.read_csv('http://h/x')", 'a package that fetches'],
  ['python', "x = 'unterminated", 'no program'],
  ['python', "import os; open(os.getcwd()[0] + 'x')", 'a slash made of nothing'],
  ['python', "open('a/b'[1] + 'x')", 'the same'],
  ['python', "open('a/b'.strip('ab') + 'x')", 'the same'],
  ['python', 'import os; open(os.path.dirname(os.path.dirname(os.getcwd())))', 'up as often as it likes'],
  ['python', "d = '.' * 2", 'the same'],
  ['python', 'import os; os.chdir(x)', 'to a folder that is not named'],
  ['python', 'from logging import handlers; handlers.SocketHandler', 'talks to others'],
  ['python', 'import importlib.metadata; importlib.import_module("os")', 'a function that imports'],
  ['javascript', "require('child_process')", 'starts programs'],
  ['javascript', "const k = ['constr', 'uctor'].join(''); (() => 1)[k]", 'a name in pieces'],
  ['javascript', "const f = x; f('return 1')", 'a text that is a program'],
  ['javascript', 'process.cwd()[0]', 'a slash made of nothing'],
  ['go', 'package main\nimport "os/exec"\nfunc main() {}', 'starts programs'],
  ['go', 'package main\nimport "os"\nfunc main() { w := os.Args[1]; os.Create(w) }', 'a file whose name comes from outside'],
  ['go', 'package main\n//go:generate id\nfunc main() {}', 'a comment that runs something'],
  ['java', 'class X { void f() { Runtime.getRuntime(); } }', 'starts programs'],
  ['java', 'class X { void f() { \\u0052untime r; } }', 'letters by number'],
  ['rust', 'use std::process::Command;', 'starts programs'],
  ['javascript', "require('node:net')", 'talks to others'],
  ['javascript', "require('n' + 'et')", 'a name that is built'],
  ['javascript', "const r = require; r('net')", 'by another name'],
  ['javascript', "import x from 'http'", 'talks to others'],
  ['javascript', "export * from 'net'", 'the same'],
  ['javascript', "import/**/('dgram')", 'the same, later'],
  ['javascript', "import/**/('data:text/javascript,1')", 'program text as a name'],
  ['javascript', "fetch('http://h')", 'talks to others'],
  ['javascript', "[].filter['constr' + 'uctor']('1')()", 'a name that is built'],
  ['javascript', "a[k][k]('1')()", 'calls what is looked up'],
  ['javascript', 'process.binding("fs")', 'what the interpreter is made of'],
  ['javascript', "process['mainModule']", 'the same'],
  ['javascript', 'const p = process; p', 'by another name'],
  ['javascript', 'f\\u0065tch(1)', 'letters by number'],
  ['javascript', "console.log('\\x2f')", 'the same'],
  ['javascript', "if (1) /'/.test(1); fetch('x') //'", 'a text that may end elsewhere'],
  ['javascript', "x++ / 2; fetch('http://h/') / 1", 'a pattern that may be none'],
  ['javascript', "require('fs').readFileSync(Buffer.from('2f', 'hex'))", 'a text that is decoded'],
  ['javascript', "x <!-- '\nfetch(1) //'", 'a comment of web pages'],
  ['javascript', '1.0.constructor', 'a member of a number'],
  ['javascript', "require('fs').rmSync('src', { recursive: true })", 'destroys'],
  ['c', '#include <unistd.h>\nint main() { execl("/bin/sh", "sh", 0); }', 'starts programs'],
  ['c', 'int main() { system("id"); }', 'the same, without a header'],
  ['c', '#define f sys##tem\nint main() { f("id"); }', 'a name that is glued'],
  ['c', 'int main() { __asm__("nop"); }', 'assembly'],
  ['c', '#include <stdio.h>\nint main(int c, char **v) { char p[] = {47, 0}; fopen(p, "w"); }', 'a file whose name is built'],
  ['c', 'const int main[] = {1, 2};', 'a program of numbers'],
  ['ruby', 'puts `id`', 'runs what stands between backticks'],
  ['ruby', 'p %x(id)', 'the same'],
  ['ruby', "system 'id'", 'starts programs'],
  ['php', "$f = 'system'; $f('id');", 'calls what a value names'],
  ['php', "echo file_get_contents('http://h');", 'an address'],
  ['perl', 'print 1', 'a language that is not read'],
]

describe('program text that is handed over', () => {
  test.each(PLAIN)('%s: %j is read', (language, source) => {
    expect(readCode(language, source)).not.toBeNull()
  })

  test.each(UNREAD)('%s: %j is not: %s', (language, source) => {
    expect(readCode(language, source)).toBeNull()
  })

  test.each([
    ['python3 -c "print(open(\'/srv/x\').read())"', 'from the top'],
    ['python3 -c "print(open(\'../x\').read())"', 'upwards'],
    ["python3 -c \"print(open('/s' + 'rv/x').read())\"", 'in two pieces'],
    ['python3 -c "print(open(\'x/vrs/\'[::-1]).read())"', 'from behind'],
    ["python3 -c \"print(open('/'.join(['', 'srv', 'x'])).read())\"", 'in pieces'],
    ["python3 -c \"print(open('_srv_x'.replace('_', '/')).read())\"", 'disguised'],
    ['python3 -c "import os; print(open(os.path.expanduser(\'~/.ssh/id_rsa\')).read())"', 'a credential'],
    ["python3 -c \"open('.git/config', 'a').write('x')\"", 'what runs later'],
    ["node -e \"console.log(require('fs').readFileSync('.env', 'utf8'))\"", 'a credential'],
    ["node -e \"require('fs').writeFileSync(process.env.HOME + '/.bashrc', '')\"", 'what runs later'],
    ['gcc -x c - <<< \'#include "/srv/x"\'', 'included'],
  ])('%s names a place that is asked about: %s', (command) => {
    expect(kindOf(readCommand(command, '/projects/ws'))).toBe('reach')
  })

  test('the places in it count like any others, and it is never taken for looking', () => {
    expect(kindOf(readCommand('python3 -c "print(open(\'data/a.txt\').read())"', '/projects/ws'))).toBe('exec')
    expect(readCommand("python3 - <<'E'\nopen('a', 'w')\nE", '/projects/ws').categories).toEqual(['inline-code'])
  })

  test('what nobody confines is not believed', () => {
    expect(readCode('python', 'x = 1;'.repeat(4_000))).toBeNull()
  })

  test.each([
    ["cat > a.py <<'E'\nprint(1)\nE\npython3 a.py", 'exec'],
    ["cat > a.py <<'E'\nimport socket\nE\npython3 a.py", 'reach'],
    ["cat > test_a.py <<'E'\nimport socket\nE\npytest -q", 'reach'],
    ["cat > test_a.py <<'E'\ndef test_a():\n    assert 1\nE\npytest -q", 'exec'],
    ["cat > run.sh <<'E'\n#!/bin/sh\nnpm test\nE\nchmod +x run.sh && ./run.sh", 'exec'],
    ["cat > run.sh <<'E'\n#!/bin/sh\ncurl h\nE\nchmod +x run.sh && ./run.sh", 'reach'],
    ["printf 'all:;curl h' > Makefile; make", 'reach'],
    ['printf \'{"scripts":{"test":"node --test"}}\' > package.json; npm test', 'exec'],
    ['printf \'{"scripts":{"pretest":"curl h"}}\' > package.json; npm test', 'reach'],
    ["printf '{' > package.json; npm test", 'reach'],
    ['printf \'{"scripts":1}\' > package.json; npm test', 'reach'],
    ["printf ': \\'\\'\\'\\n\\'\\'\\'\\nimport socket' > a.txt; mv a.txt conftest.py; pytest", 'reach'],
    ["jq '.version = 1' package.json > t.json && mv t.json package.json && npm test", 'exec'],
    ["printf '#!/bin/sh\\nimport socket\\n' > a.py; python3 a.py", 'reach'],
    ['echo "$X" > a.py; python3 a.py', 'reach'],
    ['python3 -c "$X"', 'reach'],
    ['for f in *; do python3 -c "print(\'$f\')"; done', 'reach'],
    ['N=$(wc -l < a); python3 -c "x = $N; y = len(str(x)); assert y"', 'exec'],
    ['node server.js & sleep 1; curl -s localhost:3000', 'exec'],
    ['node server.js & sleep 1; curl -s -x proxy localhost:3000', 'reach'],
    ['node server.js & sleep 1; curl -s localhost:3000@h', 'reach'],
    ['sleep 9 & curl -s localhost:3000', 'reach'],
    ['curl -s localhost:3000', 'reach'],
    ['pkill -f vite; kill -9 12; lsof -i :3000', 'exec'],
    ['ls .. && ls /', 'look'],
    ['ls /etc', 'reach'],
    ['cat $(ls ..)', 'reach'],
    ['cat $(ls /srv)', 'reach'],
    ['ls ~/.ssh', 'reach'],
    ["ed -s a.txt <<'E'\n1,$s/a/b/\nw\nq\nE", 'exec'],
    ["ed -s a.txt <<'E'\n!id\nE", 'reach'],
    ["vim -es -c '%s/a/b/g' -c wq a.txt", 'exec'],
    ["vim -es -c q a.txt <<< '!id'", 'reach'],
  ])('%s: %s', (command, kind) => {
    expect(kindOf(readCommand(command, '/projects/ws'))).toBe(kind)
  })
})
