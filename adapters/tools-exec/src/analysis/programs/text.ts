import type { ProgramTable } from '../program.ts'

const KEY_FILES = {
  read: '-in -key -inkey',
  write: '-out -keyout',
  text: '-subj -days -newkey -passin -passout -pkeyopt -addext',
  scan: '-config -extfile',
} as const
/** They load a library. */
const LOADS = { '-engine -provider -provider-path': { categories: ['execution-hook'] } } as const

/** Programs that search, compare and change text. */
export const TEXT: ProgramTable = {
  'grep egrep fgrep zgrep bzgrep xzgrep rgrep': {
    takes: {
      text: `-e -A -B -C -m -d -D --regexp --include --exclude --exclude-dir --after-context --before-context --context --max-count --color --colour
        --label -u -U -P`,
      read: '-f --file --exclude-from',
    },
    operands: 'pattern',
    instead: '-e --regexp -f --file',
    output: 'filter',
  },
  'rg ag ack ugrep': {
    takes: {
      text: '-e -g -t -T -A -B -C -m -M -r -j --regexp --glob --iglob --type --type-not --max-count --replace --sort --color --context --ignore-dir --colors -E',
      read: '-f --file --ignore-file',
      command: '--pre --hostname-bin',
    },
    operands: 'pattern',
    instead: '-e --regexp -f --file --files',
    output: 'filter',
  },
  sort: {
    takes: {
      text: '-k -t -S --key --field-separator --parallel --buffer-size --sort',
      write: '-o --output',
      scan: '-T --temporary-directory',
      command: '--compress-program',
      read: '--files0-from',
    },
    output: 'filter',
  },
  uniq: { takes: { text: '-f -s -w' }, output: 'filter' },
  cut: { takes: { text: '-d -f -c -b --delimiter --fields --output-delimiter' }, output: 'content' },
  tr: { operands: 'text', output: 'content' },
  rev: { output: 'decode' },
  'wc nl': { takes: { text: '-b -s -w -v', read: '--files0-from' }, output: 'token' },
  'diff cmp comm colordiff diff3 sdiff vimdiff delta difft icdiff wdiff': {
    takes: {
      text: '-U -x -I -W --exclude --label --color --ignore-matching-lines -n -i',
      read: '-X --exclude-from --from-file --to-file',
    },
  },
  patch: {
    takes: { text: '-p', read: '-i --input', write: '-o -r --output', enter: '-d --directory', scan: '-B' },
    operands: 'scan',
    mutability: 'write',
  },
  shuf: { takes: { text: '-n -i -e', write: '-o --output', read: '--random-source' }, output: 'filter' },
  'paste join fold fmt expand unexpand column pr look tsort numfmt ptx': {
    takes: { text: '-d -s -w -t -n -o -1 -2 -j -a -e -c -N --from --to' },
    output: 'content',
  },
  'base64 base32 base16 basenc uudecode uuencode': { takes: { text: '-w --wrap' }, output: 'decode' },
  xxd: { takes: { text: '-l -s -c -g -o -n' }, output: 'decode' },
  'hexdump od hd': { takes: { text: '-n -s -e -N -j -t -A -w', read: '-f' }, output: 'content' },
  'strings nm objdump readelf size ldd addr2line c++filt': { takes: { text: '-n -t -j -e' } },
  'iconv recode dos2unix unix2dos': { takes: { text: '-f -t --from-code --to-code', write: '-o --output' }, output: 'decode' },
  'date cal ncal': {
    takes: { text: '-d -s -I --date --set --iso-8601', read: '-f -r --file --reference' },
    operands: 'text',
    output: 'token',
  },
  'seq factor yes expr sleep usleep tsleep nproc arch uname hostname whoami id groups logname who w users uptime last lastlog tty getconf locale getent':
    {
      operands: 'text',
      style: 'none',
      output: 'token',
    },
  'hostnamectl timedatectl localectl': { operands: 'text', output: 'token' },
  printenv: { operands: 'text', output: 'content' },
  'less more most pg': {
    takes: { text: '-p -P -x -j -y', write: '-o -O --log-file', read: '-k -T' },
    style: 'words',
    marks: { '+': { categories: ['shell-escape'] } },
    operands: 'read',
  },
  'man info apropos whatis tldr': {
    takes: { command: '-P --pager -H --html', scan: '-C -M -l', text: '-s -S -k' },
    operands: 'scan',
  },
  'xmllint xsltproc tidy': { takes: { write: '-o --output', text: '--xpath', read: '--schema' } },
  'envsubst gettext msgfmt': { operands: 'text' },
  'figlet cowsay lolcat toilet': { operands: 'text' },
  openssl: {
    style: 'words',
    takes: {
      read: '-in -key -CAfile -cert -inkey -config -engine',
      write: '-out -keyout',
      text: '-subj -days -passin -passout -pass -k -K -iv -md',
    },
    verbs: {
      dgst: { operands: 'read' },
      x509: { operands: 'none', style: 'words', takes: { read: '-in', write: '-out' } },
      rand: { operands: 'text', output: 'token' },
      version: { operands: 'none' },
      ...Object.fromEntries(
        'req genrsa genpkey gendsa pkey rsa ec ecparam dhparam'
          .split(' ')
          .map((verb) => [
            verb,
            { operands: 'text', style: 'words', mutability: 'write', takes: KEY_FILES, marks: LOADS } as const,
          ]),
      ),
      verify: { operands: 'read', style: 'words', takes: { read: '-CAfile' } },
      sha256: { operands: 'read' },
      s_client: { categories: ['network-client'], reach: 'network', operands: 'text' },
      s_server: { categories: ['network-server'], reach: 'network', operands: 'text' },
      s_time: { categories: ['network-client'], reach: 'network', operands: 'text' },
      ocsp: { categories: ['network-client'], reach: 'network', operands: 'text' },
    },
    otherwise: {
      categories: ['obfuscated'],
      operands: 'scan',
      mutability: 'write',
      style: 'words',
      takes: { read: '-in -engine', write: '-out' },
      output: 'decode',
    },
  },
  'gpg gpg2 gpgv age sops pass vault': {
    marks: {
      '--recv-keys --receive-keys --refresh-keys --search-keys --send-keys --locate-keys --fetch-keys': {
        categories: ['network-client'],
        reach: 'network',
      },
    },
    categories: ['credential-path'],
    operands: 'scan',
    mutability: 'write',
    output: 'decode',
  },
  'ps top htop pstree pidof pgrep pmap vmstat iostat mpstat free sar dstat lscpu lspci lsusb lsmod dmidecode sensors nvidia-smi ipcs lslocks lsns':
    {
      operands: 'text',
      takes: { text: '-o -p -C -u -U -t -n -d -e' },
      output: 'token',
    },
  dmesg: { operands: 'text' },
  'prettier eslint biome tsc stylelint ruff black isort flake8 pylint mypy pyright autopep8 rubocop gofmt goimports rustfmt shfmt shellcheck hadolint yamllint markdownlint markdownlint-cli2 jsonlint actionlint clang-format clang-tidy cppcheck golangci-lint staticcheck ktlint checkstyle oxlint oxfmt knip dprint standard xo commitlint cspell vale codespell tflint terraform-docs swiftlint swiftformat phpstan psalm phpcs phpcbf djlint sqlfluff':
    {
      takes: {
        text: '--ext --format --select --ignore --line-length -l --target --module --parser --config-precedence --max-warnings --rule',
        scan: '-c --config -p --project --outDir -o',
      },
      operands: 'read',
      categories: ['workspace-code'],
      mutability: 'write',
    },
  'cloc tokei scc sloccount': {},
  'ffmpeg sox pandoc asciidoctor mdbook rst2html typst pdftotext pdfinfo convert magick identify ffprobe exiftool dot mmdc graphviz':
    {
      operands: 'read',
      takes: { write: '-o --output', text: '-f -t', command: '-F --filter --pdf-engine' },
      mutability: 'write',
    },
}
