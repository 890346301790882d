import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listComposeFiles, listDeeperProjects, matchesEntry, proposeProject } from '#host/project'
import { detectInstallSteps } from '#host/project/detect.ts'
import { addPythonFileHost, findLockedHosts, parseGoHosts } from '#host/project/hosts.ts'
import { listMissingPrograms, useCorepack } from '#host/project/missing-programs.ts'
import { createRepository } from '../../fixtures/host/repository.ts'

const readNothing = () => Promise.resolve('')

/** The commands of a proposal for these files. */
async function listCommands(files: string[], read: (file: string) => Promise<string>): Promise<string[]> {
  const steps = await detectInstallSteps(files, read)
  return steps.flatMap(({ command, optional }) => (optional === undefined ? [command] : [command, optional]))
}

test('lock files become the commands that install what they name', async () => {
  const cases: [string[], string[], string?][] = [
    [['package-lock.json'], ['npm ci']],
    [['package.json'], []],
    [['pnpm-lock.yaml', 'package-lock.json'], ['pnpm install --frozen-lockfile']],
    [['yarn.lock'], ['yarn install --frozen-lockfile']],
    [['yarn.lock', '.yarnrc.yml'], ['yarn install --immutable']],
    [['bun.lockb'], ['bun install --frozen-lockfile']],
    [['uv.lock', 'pyproject.toml'], ['uv sync --frozen']],
    [['poetry.lock'], ['POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction']],
    [
      ['requirements.txt', 'requirements-dev.txt'],
      ['python3 -m venv .venv && .venv/bin/pip install -r requirements.txt -r requirements-dev.txt'],
    ],
    [['pyproject.toml'], [], '[tool.black]\nline-length = 100\n'],
    [['pyproject.toml'], ["python3 -m venv .venv && .venv/bin/pip install -e '.'"], '[project]\nname = "x"\n'],
    [
      ['pyproject.toml'],
      ["python3 -m venv .venv && .venv/bin/pip install -e '.[dev,test]'"],
      '[project]\nname = "x"\n[project.optional-dependencies]\ntest = ["pytest"]\ndev = ["ruff"]\ndocs = []\n[tool.x]\ntests = 1\n',
    ],
    [
      ['pyproject.toml'],
      [
        "python3 -m venv .venv && .venv/bin/pip install 'pip>=25.1' && .venv/bin/pip install -e '.[test]' --group dev --group tests",
      ],
      '[project]\nname = "x"\n[project.optional-dependencies]\ntest = ["pytest"]\n[dependency-groups]\ndocs = []\ndev = [\n    "ruff",\n]\ntests = [{include-group = "dev"}]\n[build-system]\ntest = []\n',
    ],
    [
      ['go.mod', 'go.sum'],
      ['go mod download', 'go test -exec true ./... || true'],
    ],
    [['Cargo.lock'], ['cargo fetch --locked']],
    [
      ['package-lock.json', 'api/requirements.txt', 'web/yarn.lock'],
      [
        'npm ci',
        'cd api && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
        'cd web && yarn install --frozen-lockfile',
      ],
    ],
    [['my app;/go.sum'], ["cd 'my app;' && go mod download", "cd 'my app;' && go test -exec true ./... || true"]],
    [['node_modules/x/package-lock.json', 'tests/package-lock.json', 'a/b/package-lock.json'], []],
  ]
  for (const [files, commands, text] of cases) {
    const read = text === undefined ? readNothing : () => Promise.resolve(text)
    assert.deepEqual(await listCommands(files, read), commands, files.join())
  }
})

test('a proposal has commands, hosts of lock files, and ignored files for tests', async t => {
  const repository = await createRepository(t, {
    'package-lock.json': JSON.stringify({ resolved: 'https://u:p@packages.example.org/a.tgz' }),
    '.gitignore': '.env*\n',
  })
  for (const name of ['.env.test', '.env', '.env.local']) fs.writeFileSync(path.join(repository.path, name), 'A=1\n')
  const proposal = await proposeProject(repository)
  assert.deepEqual(proposal?.project.setup, ['npm ci'])
  assert.deepEqual(proposal?.project.files, ['.env.test'])
  assert.ok(proposal?.project.hosts.includes('packages.example.org'), proposal?.project.hosts.join())
  assert.equal(await proposeProject(await createRepository(t, { 'a.txt': 'a' })), undefined)
})

test('pages that a lock file only mentions are not hosts of packages', () => {
  const npm = {
    resolved: 'https://a.example/x.tgz',
    deprecated: 'see https://b.example',
    funding: { url: 'https://c.example' },
  }
  assert.deepEqual(findLockedHosts('web/package-lock.json', JSON.stringify(npm, null, 2)), ['a.example'])
  const composer = {
    packages: [
      {
        source: { type: 'git', url: 'https://git.example/x.git' },
        dist: { type: 'zip', url: 'https://a.example:8443/x.zip' },
        'notification-url': 'https://b.example/downloads/',
        homepage: 'https://c.example',
        support: { issues: 'https://c.example/issues' },
      },
    ],
    'packages-dev': [
      { dist: null, source: { url: 'git@ssh.example:x.git' } },
      { dist: { url: 'https://d.example/y' } },
    ],
  }
  const composerHosts = findLockedHosts('composer.lock', JSON.stringify(composer).replaceAll('/', '\\/'))
  assert.deepEqual(composerHosts, ['a.example:8443', 'git.example', 'd.example'])
  assert.deepEqual(findLockedHosts('composer.lock', 'https://x.example'), [], 'not JSON')
  const pnpm = `  uuid@3:
    resolution: {tarball: https://a.example/uuid.tgz}
    deprecated: See https://b.example/why
  other@1:
    deprecated: |-
      Read https://c.example
      first.
    engines: {node: '>=8'}
  last@1:
    resolution: {tarball: https://d.example/last.tgz}
`
  assert.deepEqual(findLockedHosts('pnpm-lock.yaml', pnpm), ['a.example', 'd.example'])
})

test('package.json decides which tool installs, also without a lock file', async () => {
  const dependencies = { dependencies: { a: '1' } }
  const berry = '# This file is generated by running "yarn install".\n\n__metadata:\n  version: 8\n'
  const cases: [Record<string, string>, string[]][] = [
    [{ 'package.json': JSON.stringify(dependencies) }, ['npm install']],
    [{ 'package.json': JSON.stringify({ devDependencies: { a: '1' } }) }, ['npm install']],
    [{ 'package.json': JSON.stringify({ scripts: { test: 'node --test' } }) }, []],
    [{ 'package.json': 'not json' }, []],
    [
      { 'package.json': JSON.stringify({ ...dependencies, packageManager: 'pnpm@9.12.0+sha512.abc' }) },
      ['pnpm install'],
    ],
    [
      { 'package.json': JSON.stringify({ ...dependencies, packageManager: 'yarn@4.5.0' }) },
      ['yarn install --no-immutable'],
    ],
    [
      { 'package.json': JSON.stringify({ packageManager: 'yarn@4.5.0' }), 'yarn.lock': '' },
      ['yarn install --immutable'],
    ],
    [
      { 'package.json': JSON.stringify({ packageManager: 'yarn@1.22.22' }), 'yarn.lock': '' },
      ['yarn install --frozen-lockfile'],
    ],
    [{ 'package.json': '{}', 'yarn.lock': berry }, ['yarn install --immutable']],
    [
      {
        'package.json': JSON.stringify({ packageManager: 'npm@10.9.0' }),
        'pnpm-lock.yaml': '',
        'package-lock.json': '{}',
      },
      ['npm ci'],
    ],
    [
      { 'package.json': JSON.stringify({ workspaces: ['a'] }), 'a/package.json': JSON.stringify(dependencies) },
      ['npm install'],
    ],
    [{ 'web/package.json': JSON.stringify(dependencies) }, ['cd web && npm install']],
  ]
  for (const [files, commands] of cases) {
    const read = (file: string) => Promise.resolve(files[file] ?? '')
    assert.deepEqual(await listCommands(Object.keys(files), read), commands, JSON.stringify(files))
  }
})

test('other ecosystems are installed as their users would', async () => {
  const cases: [string[], string[]][] = [
    [['pdm.lock', 'pyproject.toml'], ['pdm sync --dev']],
    [['setup.py'], ['python3 -m venv .venv && .venv/bin/pip install -e .']],
    [
      ['requirements.txt', 'test-requirements.txt', 'requirements/dev.txt'],
      [
        'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt -r test-requirements.txt -r requirements/dev.txt',
      ],
    ],
    [['go.mod', 'go.sum', 'vendor/modules.txt'], ['go test -exec true ./... || true']],
    [['Cargo.toml', 'a/Cargo.toml'], ['cargo fetch']],
    [['Gemfile'], ['bundle config set --local path vendor/bundle && bundle install']],
    [
      ['pom.xml', 'mvnw'],
      ['./mvnw --batch-mode dependency:go-offline', './mvnw --batch-mode --fail-at-end test || true'],
    ],
    [
      ['build.gradle.kts', 'gradlew'],
      ['./gradlew --no-daemon testClasses', './gradlew --no-daemon --continue test || true'],
    ],
    [['packages.lock.json', 'A.sln'], ['dotnet restore --locked-mode']],
    [['A.sln', 'src/a/A.csproj', 'src/Directory.Build.props'], ['dotnet restore']],
    [['A.sln', 'B b.csproj', 'web/C.csproj'], ['dotnet restore A.sln']],
    [['web/C.csproj', 'README.md'], ['cd web && dotnet restore']],
    [['a/b/C.csproj', 'Directory.Packages.props'], []],
    [['mix.exs', 'mix.lock'], ['mix local.hex --force && mix local.rebar --force && mix deps.get']],
  ]
  for (const [files, commands] of cases)
    assert.deepEqual(await listCommands(files, readNothing), commands, files.join())
})

test('a package beside requirements is installed too, unless they name it', async () => {
  const requirements = 'python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt'
  const packaged = '[build-system]\nrequires = ["setuptools"]\n'
  const cases: [requirements: string, pyproject: string, command: string, lockfiles: string[]][] = [
    ['pytest\n', packaged, `${requirements} && .venv/bin/pip install -e .`, ['requirements-dev.txt', 'pyproject.toml']],
    [
      'pytest\n',
      `${packaged}[project.optional-dependencies]\ntest = ["pytest"]\n`,
      `${requirements} && .venv/bin/pip install -e '.[test]'`,
      ['requirements-dev.txt', 'pyproject.toml'],
    ],
    ['-e .[test]\npytest\n', packaged, requirements, ['requirements-dev.txt']],
    ['.\n', packaged, requirements, ['requirements-dev.txt']],
    ['pytest\n', '[tool.black]\n', requirements, ['requirements-dev.txt']],
    ['pytest\n', `${packaged}[tool.poetry]\npackage-mode = false\n`, requirements, ['requirements-dev.txt']],
  ]
  for (const [text, pyproject, command, lockfiles] of cases) {
    const read = (file: string) => Promise.resolve(file === 'pyproject.toml' ? pyproject : text)
    const [step] = await detectInstallSteps(['requirements-dev.txt', 'pyproject.toml'], read)
    assert.deepEqual([step?.command, step?.lockfiles], [command, lockfiles], text + pyproject)
  }
})

test('builds for Android and of Kotlin multiplatform have no task testClasses', async () => {
  const cases: [module: string, command: string, optional?: string][] = [
    ['plugins { id("com.android.application") }', './gradlew --no-daemon --continue test || true'],
    ['plugins { alias(libs.plugins.android.library) }', './gradlew --no-daemon --continue test || true'],
    [
      'plugins { kotlin("multiplatform")\n id("com.android.library") }',
      './gradlew --no-daemon --continue allTests || true',
    ],
    ['plugins { alias(libs.plugins.kotlinMultiplatform) }', './gradlew --no-daemon --continue allTests || true'],
    ['plugins { java }', './gradlew --no-daemon testClasses', './gradlew --no-daemon --continue test || true'],
  ]
  for (const [module, command, optional] of cases) {
    const read = (file: string) => Promise.resolve(file === 'app/build.gradle.kts' ? module : '')
    const [step] = await detectInstallSteps(['gradlew', 'settings.gradle.kts', 'app/build.gradle.kts'], read)
    assert.deepEqual([step?.command, step?.optional, step?.program], [command, optional, 'gradle'], module)
  }
})

test('a change of what any module depends on runs the setup again', async t => {
  const cases: [files: Record<string, string>, watched: string[], others: string[]][] = [
    [
      { 'A.sln': '', 'src/a/A.csproj': '', 'src/a/Program.cs': '', 'Directory.Packages.props': '' },
      ['A.sln', 'src/a/A.csproj', 'src/b/New.csproj', 'Directory.Packages.props'],
      ['src/a/Program.cs'],
    ],
    [
      { 'pom.xml': '<modules>', mvnw: '', '.mvn/extensions.xml': '', 'a/pom.xml': '', 'a/src/A.java': '' },
      ['pom.xml', 'a/pom.xml', 'new/deep/pom.xml', '.mvn/extensions.xml'],
      ['a/src/A.java', 'a/other-pom.xml'],
    ],
    [
      { 'settings.gradle.kts': '', 'a/build.gradle.kts': '' },
      [
        'settings.gradle.kts',
        'a/build.gradle.kts',
        'gradle/libs.versions.toml',
        'buildSrc/src/main/kotlin/Versions.kt',
      ],
      ['a/src/main/kotlin/A.kt'],
    ],
    [
      { 'Cargo.toml': '', 'a/Cargo.toml': '' },
      ['Cargo.toml', 'a/Cargo.toml', 'crates/new/Cargo.toml'],
      ['a/src/lib.rs'],
    ],
    [
      { 'package.json': '{"workspaces":["a"]}', 'a/package.json': '{}' },
      ['package.json', 'a/package.json'],
      ['a/tsconfig.json'],
    ],
    [{ Gemfile: 'gemspec', 'x.gemspec': '' }, ['Gemfile', 'x.gemspec'], ['lib/x.rb']],
    [
      { 'package-lock.json': '{}', 'db/schema.prisma': '', 'patches/dep+1.0.0.patch': '' },
      ['package-lock.json', 'db/schema.prisma', 'patches/dep+1.0.0.patch', 'db/new/other.prisma'],
      ['package.json', 'index.js'],
    ],
    [
      {
        'requirements.txt': '-r requirements/base.txt\n-c limits.txt # all\n',
        'requirements/base.txt': '--requirement=more.txt\n-r gone.txt',
        'requirements/more.txt': '',
        'limits.txt': '',
      },
      ['requirements.txt', 'requirements/base.txt', 'requirements/more.txt', 'limits.txt'],
      ['gone.txt', 'requirements/gone.txt'],
    ],
  ]
  for (const [files, watched, others] of cases) {
    const { project } = (await proposeProject(await createRepository(t, files))) ?? assert.fail()
    const isWatched = (file: string) => project.lockfiles.some(entry => matchesEntry(entry, file))
    assert.deepEqual([...watched, ...others].filter(isWatched), watched, project.lockfiles.join())
  }
})

test('a lock file that an installation writes is there in checks', async t => {
  const dependencies = { dependencies: { a: '1' } }
  const cases: [files: Record<string, string>, makes: string[] | undefined][] = [
    [{ 'Cargo.toml': '' }, ['Cargo.lock']],
    [{ 'Cargo.toml': '', 'Cargo.lock': '' }, undefined],
    [{ 'api/Cargo.toml': '' }, ['api/Cargo.lock']],
    [{ Gemfile: '' }, ['Gemfile.lock']],
    [{ 'go.mod': '' }, ['go.sum']],
    [{ 'go.mod': '', 'go.sum': '' }, undefined],
    [{ 'package.json': JSON.stringify({ ...dependencies, packageManager: 'yarn@4.5.0' }) }, ['yarn.lock']],
    [{ 'package.json': JSON.stringify(dependencies) }, undefined],
    [{ 'pom.xml': '', mvnw: '', '.mvn/wrapper/maven-wrapper.properties': '' }, ['.mvn/wrapper/maven-wrapper.jar']],
    [{ 'pom.xml': '', mvnw: '', '.mvn/wrapper/maven-wrapper.properties': 'distributionType=only-script' }, undefined],
  ]
  for (const [files, makes] of cases) {
    const proposal = await proposeProject(await createRepository(t, files))
    assert.deepEqual(proposal?.project.makes, makes, JSON.stringify(files))
  }
})

test('a Maven project with modules is resolved without those of its modules that are not there yet', async () => {
  const read = () => Promise.resolve('<project><modules><module>a</module></modules></project>')
  assert.deepEqual(await listCommands(['pom.xml', 'a/pom.xml'], read), [
    'mvn --batch-mode -Dmaven.main.skip -Dmaven.test.skip test-compile',
    'mvn --batch-mode dependency:go-offline; mvn --batch-mode --fail-at-end test || true',
  ])
})

test('compiled parts of a Python package come with the sources that they are made from', async t => {
  const setup = 'from setuptools import setup, Extension\nsetup(ext_modules=[Extension("x._c", ["x/_c.c"])])\n'
  const packaged = '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\n'
  const sources = { 'x/__init__.py': '', 'x/_c.c': '', 'x/_c.h': '' }
  const propose = async (files: Record<string, string>) => proposeProject(await createRepository(t, files))
  const found = await propose({ ...sources, 'pyproject.toml': packaged, 'setup.py': setup })
  assert.deepEqual(found?.project.makes, ['**/*.so', '**/*.pyd'])
  assert.deepEqual(found?.project.lockfiles, ['pyproject.toml', 'setup.py', '**/*.c', '**/*.h'])
  const locked = await propose({ ...sources, 'pyproject.toml': packaged, 'setup.py': setup, 'uv.lock': '' })
  assert.deepEqual(locked?.project.makes, ['**/*.so', '**/*.pyd'])
  const plain = await propose({ ...sources, 'pyproject.toml': packaged })
  assert.equal(plain?.project.makes, undefined)
  const meson = await propose({
    ...sources,
    'pyproject.toml': packaged.replace('setuptools', 'meson-python').concat('build-backend = "mesonpy"'),
  })
  assert.equal(meson?.project.makes, undefined)
  assert.match(meson?.reasons.join('\n') ?? '', /compiled parts/)
})

test('the registry of yarn 4 is its own, unless the project sets one', async t => {
  const lock = '__metadata:\n  version: 8\n'
  const own = await proposeProject(await createRepository(t, { 'package.json': '{}', 'yarn.lock': lock }))
  // Where yarn is not installed, corepack fetches it from another host.
  assert.equal(own?.project.hosts[0], ['registry', 'yarnpkg', 'com'].join('.'))
  const settings = `npmRegistryServer: "https://packages.example:8443/npm"\nnpmAuthToken: "\${CORP_TOKEN:-}"\n`
  const set = await proposeProject(
    await createRepository(t, { 'package.json': '{}', 'yarn.lock': lock, '.yarnrc.yml': settings }),
  )
  assert.equal(set?.project.hosts[0], 'packages.example:8443')
  assert.deepEqual(set?.project.environment, ['CORP_TOKEN'])
})

test('a file that gets the version of a Python package is proposed as made', async t => {
  const project = '[project]\nname = "x"\n'
  const cases: [settings: string, makes: string[] | undefined][] = [
    ['[tool.setuptools_scm]\nversion_file = "src/x/_version.py" # generated\n', ['src/x/_version.py']],
    ["[tool.setuptools_scm]\nlocal_scheme = 'x'\nwrite_to = 'x/version.py'\n", ['x/version.py']],
    ['[tool.hatch.build.hooks.vcs]\nversion-file = "x/_version.py"\n', ['x/_version.py']],
    ['[tool.setuptools_scm]\n[tool.other]\nversion_file = "src/x/_version.py"\n', undefined],
    ['[tool.setuptools_scm]\nwrite_to = "../x.py"\n', undefined],
    ['[tool.setuptools_scm]\nwrite_to = "x/__init__.py"\n', undefined],
  ]
  const deep = { 'a/b/pyproject.toml': `[build-system]\n${project}${cases[0]?.[0] ?? ''}`, 'a/b/x/__init__.py': '' }
  const found = await proposeProject({ ...(await createRepository(t, deep)), subfolder: 'a/b' })
  assert.deepEqual(found?.project.makes, ['a/b/src/x/_version.py'])
  for (const [settings, makes] of cases) {
    const files = { 'pyproject.toml': project + settings, 'x/__init__.py': '' }
    assert.deepEqual((await proposeProject(await createRepository(t, files)))?.project.makes, makes, settings)
  }
})

test('no program of the repository is asked for registries', async t => {
  const repository = await createRepository(t, { 'package-lock.json': '{}' })
  const folder = path.join(repository.path, 'node_modules/.bin')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'npm'), '#!/bin/sh\necho https://evil.example/\n', { mode: 0o755 })
  const before = process.env['PATH']
  process.env['PATH'] = `${folder}:${before}`
  t.after(() => Object.assign(process.env, { PATH: before }))
  const hosts = (await proposeProject(repository))?.project.hosts ?? []
  assert.ok(!hosts.includes('evil.example') && hosts.length > 0, hosts.join())
})

test('addresses of homepages are no registries', async t => {
  const pyproject = `[project]
name = "x"
[project.urls]
Homepage = "https://home.example"
[[tool.uv.index]]
name = "corp"
url = "https://index.example/simple"
`
  const proposal = await proposeProject(await createRepository(t, { 'pyproject.toml': pyproject }))
  assert.ok(proposal?.project.hosts.includes('index.example'), proposal?.project.hosts.join())
  assert.ok(!proposal?.project.hosts.includes('home.example'))
})

test('a tool that is not on this machine is said, with how to install it', () => {
  const has =
    (...names: string[]) =>
    (name: string) =>
      names.includes(name)
  assert.deepEqual(
    listMissingPrograms(['npm ci', 'cd web && pnpm install', 'A=1 poetry install', 'make'], has('npm', 'make')),
    [
      'pnpm is not on this machine: `npm install --global pnpm`',
      'poetry is not on this machine: `pipx install poetry`',
    ],
  )
  assert.deepEqual(listMissingPrograms(['./install.sh && echo pnpm'], has()), [])
})

test('pnpm and yarn that are not installed run by corepack, if it is there', () => {
  const step = { tool: 'node', program: 'pnpm', command: 'cd a && pnpm install', lockfiles: [] }
  assert.equal(useCorepack(step, name => name === 'corepack').command, 'cd a && corepack pnpm install')
  assert.equal(useCorepack(step, () => true).command, step.command)
  assert.equal(useCorepack(step, () => false).command, step.command)
})

test('the index of Python brings the host of its files', () => {
  assert.deepEqual(addPythonFileHost(['pypi.org']), ['pypi.org', 'files.pythonhosted.org'])
  assert.deepEqual(addPythonFileHost(['mirror.example']), ['mirror.example'])
})

test('the hosts of Go are its proxies and private modules', () => {
  assert.deepEqual(parseGoHosts('https://u:p@goproxy.example,direct', 'git.example/*,*.corp.example'), [
    'goproxy.example',
    'git.example',
    '*.corp.example',
  ])
})

test('go asks its checksum database for what go.sum does not have', () => {
  const proxy = 'https://proxy.golang.org,direct'
  assert.deepEqual(parseGoHosts(proxy, '', 'sum.golang.org'), ['proxy.golang.org', 'sum.golang.org'])
  assert.deepEqual(parseGoHosts(proxy, '', 'off'), ['proxy.golang.org'])
  assert.deepEqual(parseGoHosts('off', '', 'sums.corp.example+abc https://sums.example/db'), ['sums.example'])
})

test('compose files are found at the top and one folder below', async t => {
  const names = [
    'compose.yaml',
    'docker-compose.test.yml',
    'docker-compose-dev.yaml',
    'ops/docker-compose.yml',
    'test.docker-compose.yml',
    'a/b/compose.yml',
    'composer.json',
    'decompose.yml',
  ]
  const repository = await createRepository(t, Object.fromEntries(names.map(name => [name, 'x'])))
  assert.deepEqual((await listComposeFiles(repository)).sort(), names.slice(0, 5).sort())
})

test('modules of a project that is set up are not named, other projects are', async t => {
  const files = ['pom.xml', 'a/b/pom.xml', 'a/b/package-lock.json', 'libs/py/x/pyproject.toml']
  const repository = await createRepository(t, Object.fromEntries(files.map(name => [name, ''])))
  const { project } = (await proposeProject(repository)) ?? assert.fail()
  assert.deepEqual(await listDeeperProjects(repository, project), ['a/b/package-lock.json', 'libs/py/x/pyproject.toml'])
  const setup = ['mvn test', '.venv/bin/pip install x']
  assert.deepEqual(await listDeeperProjects(repository, { setup, lockfiles: [] }), ['a/b/package-lock.json'])
})

test('the folder where a person is counts, and those above it; others that lie deeper are named', async t => {
  const repository = await createRepository(t, {
    'services/api/go.mod': 'module x\n',
    'services/api/cmd/main.go': '',
    'services/api/below/.npmrc': ['registry=https://$', '{OTHER_VARIABLE}/\n'].join(''),
    'services/api/.npmrc': ['registry=https://$', '{HOST_VARIABLE}/\n'].join(''),
    'apps/web/package-lock.json': '{}',
    'apps/web/node_modules/x/package-lock.json': '{}',
    'deep/a/b/Cargo.lock': '',
  })
  assert.equal(await proposeProject(repository), undefined)
  assert.deepEqual(await listDeeperProjects(repository), [
    'apps/web/package-lock.json',
    'services/api/go.mod',
    'deep/a/b/Cargo.lock',
  ])
  const setup = ['cd services/api && go mod download', 'npm ci --prefix "apps/web/"']
  assert.deepEqual(await listDeeperProjects(repository, { setup, lockfiles: [] }), ['deep/a/b/Cargo.lock'])
  assert.deepEqual(await listDeeperProjects(repository, { setup, lockfiles: ['**/Cargo.lock'] }), [])
  const { project } = (await proposeProject({ ...repository, subfolder: 'services/api/cmd' })) ?? assert.fail()
  assert.match(project.setup.join(), /^cd services\/api && go mod download/)
  assert.deepEqual(project.lockfiles, ['services/api/go.mod'])
  assert.deepEqual(project.environment, ['HOST_VARIABLE'])
})
