import type { Program, ProgramTable } from '../program.ts'

const BUILD: Program = { categories: ['workspace-code'], operands: 'scan', mutability: 'write' }
const REMOTE: Program = { categories: ['package-install'], reach: 'network', operands: 'scan', mutability: 'write' }
const READ: Program = { operands: 'text' }

function verbs(list: string, program: Program): Record<string, Program> {
  return Object.fromEntries(
    list
      .trim()
      .split(/\s+/)
      .map((verb) => [verb, program]),
  )
}

/** Compilers, build tools and test runners: they run the workspace's own code. */
export const BUILDERS: ProgramTable = {
  'make gmake bmake': {
    takes: {
      text: '-j -l -o -W --jobs --load-average',
      enter: '-C --directory',
      script: '-f --file --makefile',
      scan: '-I --include-dir',
      code: '--eval -E',
    },
    operands: 'makefile',
    language: 'make',
    categories: ['workspace-code'],
    mutability: 'write',
  },
  cmake: {
    ...BUILD,
    takes: { scan: '-S -B -P -D -G -E --build --install --preset', script: '-P', argv: '-E' },
    startsAs: 'cmake:tool',
    style: 'words',
  },
  'cmake:tool': {
    style: 'posix',
    verbs: {
      ...verbs('echo true false sleep environment capabilities', READ),
      ...verbs(
        'copy copy_directory copy_if_different make_directory touch tar rename remove rm remove_directory cat md5sum',
        BUILD,
      ),
      env: { style: 'posix', operands: 'argv', assigns: true },
      time: { style: 'posix', operands: 'argv' },
      chdir: { style: 'posix', operands: 'argv', skip: 1 },
    },
  },
  'ctest cpack meson ninja scons waf bazel bazelisk buck buck2 just task rake ant gradle gradlew mvn mvnw mvnd sbt lein invoke inv fab nmake jam tup earthly dagger nx turbo lerna rush wireit grunt gulp webpack rollup vite esbuild swc parcel snowpack rspack tsup tsx ts-node ts-node-esm babel unbuild astro next nuxt remix svelte-kit gatsby hugo jekyll eleventy storybook vue-cli-service ng expo react-native electron-builder tauri docusaurus vitepress alembic flask django-admin jupyter streamlit dvc mlflow papermill scrapy celery nodemon concurrently wait-on cross-env dotenv rimraf-cli husky-run release-it semantic-release changeset typedoc api-extractor size-limit depcheck madge license-checker tsd prisma drizzle-kit knex typeorm sequelize-cli c3p0':
    { ...BUILD, takes: { text: '-j -t -P -D', scan: '-f -C -c --config', code: '-e --eval' }, language: 'other' },
  'jest vitest mocha ava tap playwright cypress karma jasmine qunit c8 nyc pytest py.test tox nox unittest nose2 behave robot coverage phpunit pest rspec minitest cucumber bats newman testcafe wdio stryker':
    {
      ...BUILD,
      takes: { text: '-k -m -t -n -p -g --grep --testNamePattern --reporter -R --timeout', scan: '-c --config --rootdir' },
    },
  'gcc g++ cc c++ clang clang++ tcc icc gfortran nvcc ld as gold lld mold ar ranlib strip objcopy javac kotlinc rustc ghc dmd ldc2 nasm yasm swiftc fpc gnat valac zig nim crystal emcc protoc flex bison yacc lex swig cython wasm-pack sass less-css lessc postcss tailwindcss':
    {
      style: 'words',
      takes: {
        write: '-o',
        scan: '-I -L -isystem -include -T -B -x -d',
        text: '-std -D -U -W -l -f -m -O -g -e',
      },
      marks: { '-wrapper -fplugin -specs -B -load': { categories: ['execution-hook'] } },
      categories: ['workspace-code'],
      operands: 'sources',
      language: 'c',
      mutability: 'write',
    },
  'pkg-config autoconf automake autoreconf libtool aclocal configure': BUILD,
  cargo: {
    style: 'posix',
    takes: { setting: '--config', enter: '-C' },
    verbs: {
      ...verbs('build b check c test t run r bench doc clippy fmt clean fix tree metadata nextest expand', BUILD),
      ...verbs('install add update publish fetch search login yank new init vendor generate-lockfile', REMOTE),
      ...verbs('version help locate-project pkgid --version', READ),
    },
  },
  go: {
    style: 'posix',
    takes: { enter: '-C' },
    verbs: {
      ...verbs('build test run vet fmt generate tool clean list doc fix', {
        ...BUILD,
        style: 'words',
        takes: {
          command: '-exec -toolexec -vettool',
          write: '-o',
          text: '-run -count -timeout -tags -ldflags -gcflags -p -bench',
        },
      }),
      ...verbs('get install mod work', REMOTE),
      ...verbs('version help', READ),
      env: { operands: 'text', marks: { '-w': { categories: ['execution-hook', 'persistence'] } } },
    },
  },
  'dotnet msbuild nuget': {
    verbs: { ...verbs('build test run clean format publish pack watch', BUILD), ...verbs('--version --info --list-sdks', READ) },
    otherwise: REMOTE,
  },
  'xcodebuild xcrun swiftpm': BUILD,
  'terraform tofu terragrunt pulumi packer ansible ansible-playbook ansible-galaxy vagrant chef knife puppet salt': {
    style: 'posix',
    takes: { enter: '-chdir' },
    verbs: { ...verbs('fmt validate version show output graph', { operands: 'scan', mutability: 'write' }) },
    otherwise: { categories: ['network-client'], reach: 'network', operands: 'scan', mutability: 'write' },
  },
}
