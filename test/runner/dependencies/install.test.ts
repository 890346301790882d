/** The setup of a project, run for real: what it gets, and what is said when it fails. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { acquireLease, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { Project } from '#host/project'
import { noToolchains } from '#host/toolchains'
import { computeDependencyKey } from '#runner/dependencies/cache-key.ts'
import { ensureDependencies } from '#runner/dependencies/install.ts'
import { removeInstallation } from '#runner/dependencies/prune.ts'
import { steersSetup } from '#runner/dependencies/setup-access.ts'
import type { SessionManifest } from '#session'
import { readLog } from '#session/log'
import { importWork, prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { runPlainGit } from '../../fixtures/hostile-git.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap, whyNoProgram } from '../../fixtures/skip-reasons.ts'

type Sandbox = SessionManifest['sandbox']

const secret = 'secret-of-the-registry-4711'

/** A session on a repository with these files, whose project is set up like this. */
async function createSetup(
  t: TestContext,
  settings: object,
  sandbox: Sandbox,
  files: Record<string, string> = {},
  toolchains = noToolchains,
) {
  const { path: user, commit } = await createRepository(t, { 'package.json': '{}', ...files })
  const project = Project.parse(settings)
  const repository = { path: user, commit, uncommittedFiles: 0 }
  const context = createTestContext(t, { project, sandbox, repository, toolchains })
  const { paths } = context.session
  const base = await prepareRepository(paths, 'dispatch/x', user)
  context.record({ type: 'base.prepared', ...base })
  return { context, base, paths }
}

/** The home and the variables of a user with a login for a registry, for one test. */
function setUser(t: TestContext, variables: Record<string, string> = {}): string {
  const home = createScratchFolder(t)
  for (const [name, value] of Object.entries({ HOME: home, ...variables })) {
    const before = process.env[name]
    process.env[name] = value
    t.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  return home
}

const withAndWithout: [name: string, sandbox: Sandbox, skip: string | false][] = [
  ['without a sandbox', { kind: null, reason: 'a test' }, false],
  ['in a sandbox', { kind: 'bubblewrap', reason: '' }, whyNoBubblewrap],
]

for (const [name, sandbox, skip] of withAndWithout)
  describe(`a setup ${name}`, { skip }, () => {
    it('gets the variables that the project names, and those of package tools', async t => {
      setUser(t, {
        MY_VALUE: secret,
        npm_config_registry: 'https://packages.example',
        PIP_INDEX_URL: 'https://pip.example/simple',
        GOPROXY: 'https://goproxy.example',
        PUPPETEER_SKIP_DOWNLOAD: 'true',
        npm_config_cache: '/srv/me/.npm',
        OTHER_VALUE: 'not named',
      })
      const printed = ['MY_VALUE', 'npm_config_registry', 'PIP_INDEX_URL', 'GOPROXY', 'PUPPETEER_SKIP_DOWNLOAD']
      const unwanted = ['npm_config_cache', 'OTHER_VALUE']
      const values = [...printed, ...unwanted].map(variable => `$${variable}`).join('|')
      const { context, base, paths } = await createSetup(
        t,
        { setup: [`echo "${values}" > out.txt`], environment: ['MY_VALUE'], makes: ['out.txt'] },
        sandbox,
      )
      const dependencies = await ensureDependencies(context, base)
      assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
      await dependencies.copyInto(paths.outputs)
      assert.equal(
        fs.readFileSync(path.join(paths.outputs, 'out.txt'), 'utf8'),
        `${secret}|https://packages.example|https://pip.example/simple|https://goproxy.example|true||\n`,
      )
      const texts = fs
        .readdirSync(paths.folder, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile() && entry.name !== 'out.txt')
        .map(entry => fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
      assert.ok(!texts.some(text => text.includes(secret)), 'a file has the secret')
    })

    it('reads the files of the home that the user allows, and no others', async t => {
      const home = setUser(t)
      fs.mkdirSync(path.join(home, '.config/pip'), { recursive: true })
      fs.writeFileSync(path.join(home, '.npmrc'), `//packages.example/:_authToken=${secret}\n`)
      fs.writeFileSync(path.join(home, '.config/pip/pip.conf'), 'allowed\n')
      fs.writeFileSync(path.join(home, '.netrc'), 'machine a.example login b password c\n')
      const { context, base, paths } = await createSetup(
        t,
        {
          setup: [`cat ~/.npmrc ~/.config/pip/pip.conf; ! cat ~/.netrc; exit 3`],
          credentials: ['~/.npmrc', '~/.config/pip/pip.conf', '~/.absent'],
        },
        sandbox,
      )
      const dependencies = await ensureDependencies(context, base)
      assert.ok(!dependencies.ok)
      assert.doesNotMatch(dependencies.reason, new RegExp(secret))
      const [file = ''] = fs.readdirSync(paths.evidence).filter(entry => entry.startsWith('setup-'))
      const output = fs.readFileSync(path.join(paths.evidence, file), 'utf8')
      assert.match(output, /_authToken=\[secret withheld\]\nallowed\n/)
      assert.doesNotMatch(output, /machine/)
      assert.match(dependencies.reason, new RegExp(`full output: ${path.join(paths.evidence, file)}`))
    })

    it('leaves for checks where cargo finds crates, and no login', async t => {
      const home = setUser(t)
      const index = 'index = "sparse+https://cargo.example/"'
      fs.mkdirSync(path.join(home, '.cargo'))
      fs.writeFileSync(path.join(home, '.cargo/config.toml'), `[registries.corp]\n${index}\ntoken = "${secret}"\n`)
      const { context, base } = await createSetup(
        t,
        { setup: ['grep -q token ~/.cargo/config.toml'], credentials: ['~/.cargo/config.toml'] },
        sandbox,
      )
      const dependencies = await ensureDependencies(context, base)
      assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
      const kept = path.join(dependencies.variables['CARGO_HOME'] ?? '', 'config.toml')
      assert.equal(fs.readFileSync(kept, 'utf8'), `registries.corp.${index}\n`)
    })

    it('cannot lead the runner to files of the user by links in its home', async t => {
      const home = setUser(t)
      const files = ['.ssh/id', '.bashrc', '.m2/settings.xml', '.cache/pip/x', '.tool-versions']
      for (const file of files) {
        fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true })
        fs.writeFileSync(path.join(home, file), file)
      }
      const link = (target: string, name: string) => `rm -rf ~/${name} && ln -s '${home}/${target}' ~/${name}`
      const found = [
        { name: 'asdf', folder: path.join(home, '.asdf'), variable: null, readable: [], homeFiles: ['.tool-versions'] },
      ]
      const { context, base } = await createSetup(
        t,
        {
          setup: [
            `cat ~/.tool-versions && ${link('.bashrc', '.tool-versions')}`,
            [link('.ssh', '.cargo'), link('.m2', '.m2'), link('.cache', '.cache')].join(' && '),
          ],
          credentials: ['~/.m2/settings.xml'],
        },
        sandbox,
        {},
        { variables: {}, found, problems: [] },
      )
      const dependencies = await ensureDependencies(context, base)
      assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
      for (const file of files) assert.equal(fs.readFileSync(path.join(home, file), 'utf8'), file)
      assert.deepEqual(dependencies.readablePaths, [])
      const own = path.join(createScratchFolder(t), 'home')
      await dependencies.copyCachesInto(own)
      assert.ok(!fs.existsSync(own), 'a check has got files of the user')
    })

    it('gets no secret in a tree in which an agent changed what it runs', async t => {
      const login = 'me:login-of-mine'
      setUser(t, { MY_VALUE: secret, PIP_INDEX_URL: 'https://pip.example/simple', BUNDLE_GEMS__EXAMPLE: login })
      const setup = ['echo "$MY_VALUE|$BUNDLE_GEMS__EXAMPLE|$PIP_INDEX_URL" > out.txt']
      const { context, base, paths } = await createSetup(
        t,
        { setup, environment: ['MY_VALUE'], makes: ['out.txt'] },
        sandbox,
      )
      const change = async (file: string) => {
        fs.writeFileSync(path.join(paths.outputs, file), '{"scripts":{"preinstall":"env"}}')
        runPlainGit(paths.outputs, ['add', file])
        runPlainGit(paths.outputs, ['commit', '-q', '-m', file])
        const dependencies = await ensureDependencies(context, await importWork(paths))
        assert.ok(dependencies.ok)
        const tree = createScratchFolder(t)
        await dependencies.copyInto(tree)
        return fs.readFileSync(path.join(tree, 'out.txt'), 'utf8')
      }
      assert.ok((await ensureDependencies(context, base)).ok)
      assert.equal(await change('main.c'), `${secret}|${login}|https://pip.example/simple\n`)
      assert.equal(await change('package.json'), '||https://pip.example/simple\n')
    })
  })

it('the reason of a failure contains no part of a secret, also where it is cut', async t => {
  setUser(t, { MY_VALUE: secret, MY_PIN: 'pin-47', BUNDLE_GEMS__EXAMPLE: 'me:login-of-mine' })
  const [, sandbox] = withAndWithout[0] ?? assert.fail()
  const message = `error: $MY_PIN $BUNDLE_GEMS__EXAMPLE ${'x'.repeat(175)} $MY_VALUE`
  const { context, base } = await createSetup(
    t,
    { setup: [`echo "${message}"; exit 3`], environment: ['MY_VALUE', 'MY_PIN'] },
    sandbox,
  )
  const dependencies = await ensureDependencies(context, base)
  assert.ok(!dependencies.ok)
  assert.match(dependencies.reason, /exit 3: error: \[secret withheld\] \[secret withheld\] x+/)
  assert.doesNotMatch(dependencies.reason, /pin-47|login-of|secret-/)
})

/** The installation of a project, without a sandbox. */
async function install(t: TestContext, settings: object, files: Record<string, string> = {}) {
  const [, sandbox] = withAndWithout[0] ?? assert.fail()
  const { context, base, paths } = await createSetup(t, settings, sandbox, files)
  const dependencies = await ensureDependencies(context, base)
  return { context, paths, dependencies }
}

it('what may fail may also take longer than its limit, and the rest of the setup goes on', async t => {
  const setup = ['echo 1 > made && sleep 20 || true', 'cp made too']
  const { dependencies } = await install(t, { setup, limit: 1, makes: ['made', 'too'] })
  assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
  assert.deepEqual(dependencies.paths, ['made', 'too'])
  const failed = await install(t, { setup: ['sleep 20'], limit: 1 })
  assert.ok(!failed.dependencies.ok && /timed out after 1 s/.test(failed.dependencies.reason))
})

it('another change of a file that a pattern names is another installation', async t => {
  const setup = ['cat */pom.xml > out']
  const settings = { setup, lockfiles: ['**/pom.xml'], makes: ['o*t'] }
  const { context, dependencies, paths } = await install(t, settings, { 'a/pom.xml': '1' })
  assert.ok(dependencies.ok)
  assert.deepEqual(dependencies.paths, ['out'])
  const change = async (file: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(paths.outputs, file)), { recursive: true })
    fs.writeFileSync(path.join(paths.outputs, file), text)
    runPlainGit(paths.outputs, ['add', file])
    runPlainGit(paths.outputs, ['commit', '-q', '-m', file])
    const changed = await ensureDependencies(context, await importWork(paths))
    assert.ok(changed.ok)
    return changed.key
  }
  assert.equal(await change('a/other.xml', '2'), dependencies.key)
  const key = await change('a/pom.xml', '2')
  assert.notEqual(key, dependencies.key)
  assert.notEqual(await change('b/pom.xml', '3'), key, 'of a new module')
})

it('what other sessions use too is installed from the base, whatever the work has made of it', async t => {
  const settings = { setup: ['cat package.json lock > out'], lockfiles: ['lock'], makes: ['out'] }
  const [, sandbox] = withAndWithout[0] ?? assert.fail()
  const { context, paths } = await createSetup(t, settings, sandbox, { lock: '1' })
  const installWith = async (files: Record<string, string>) => {
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(paths.outputs, file), text)
    runPlainGit(paths.outputs, ['commit', '-qam', 'x'])
    const dependencies = await ensureDependencies(context, await importWork(paths))
    assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
    const copy = createScratchFolder(t)
    await dependencies.copyInto(copy)
    return fs.readFileSync(path.join(copy, 'out'), 'utf8')
  }
  assert.equal(await installWith({ 'package.json': 'postinstall' }), '{}1')
  assert.equal(await installWith({ lock: '2' }), 'postinstall2', 'with a lock file of the work, for this session only')
})

it('a setup that may keep, reach or read other things is another installation', async t => {
  const settings = { setup: ['true'], lockfiles: ['package.json'] }
  const { context, dependencies, paths } = await install(t, settings)
  assert.ok(dependencies.ok)
  const commit = await importWork(paths)
  const changes = [{ makes: ['a'] }, { hosts: ['a.example'] }, { environment: ['A'] }, { credentials: ['~/.npmrc'] }]
  const keys = await Promise.all(
    [{}, ...changes].map(change => computeDependencyKey(context, Project.parse({ ...settings, ...change }), commit)),
  )
  assert.equal(keys[0], dependencies.key)
  assert.equal(new Set(keys).size, keys.length)
})

it('a setup that fails names the hosts that the sandbox refused', {
  skip: whyNoBubblewrap || whyNoProgram('curl'),
}, async t => {
  const [, sandbox] = withAndWithout[1] ?? assert.fail()
  const setup = ['curl -sSf https://downloads.example/browser.zip']
  const { context, base } = await createSetup(t, { setup }, sandbox)
  const dependencies = await ensureDependencies(context, base)
  assert.ok(!dependencies.ok)
  assert.match(
    dependencies.reason,
    /the sandbox refused downloads\.example: add it to "hosts" in \.dispatch\.json, if you trust it; full output: /,
  )
  assert.equal(context.status.dependencies?.state, 'failed')
})

it('the files that a setup runs or reads are known', () => {
  const project = Project.parse({ setup: ['sh ci/deps && npm ci'], lockfiles: ['deps.txt'] })
  const steering = ['package.json', 'web/package.json', 'deps.txt', 'ci/deps', 'pnpm-lock.yaml', 'setup.py', '.npmrc']
  for (const file of steering) assert.ok(steersSetup(file, project), file)
  for (const file of ['main.js', 'README.md', 'src/app.py', 'docs/npm.md']) assert.ok(!steersSetup(file, project), file)
})

it('what is just being removed is not used, but made again', async t => {
  const settings = { setup: ['echo x > out.txt'], makes: ['out.txt'] }
  const { context, base, paths } = await createSetup(t, settings, { kind: null, reason: 'a test' })
  await ensureDependencies(context, base)
  const [key = ''] = fs.readdirSync(path.join(context.config.home, 'prepared'))
  const folder = path.join(context.config.home, 'prepared', key)
  const self = (await identify(process.pid)) ?? assert.fail()
  const lease = (await acquireLease(path.join(folder, 'claim'), self)) ?? assert.fail()
  context.dependencies.clear()
  const again = ensureDependencies(context, base)
  const { project } = context.session.manifest
  for (let times = 0; times < 3; times++) await computeDependencyKey(context, project ?? assert.fail(), base) // As long as it needs too.
  removeInstallation(folder)
  releaseLease(path.join(folder, 'claim'), lease)
  assert.ok((await again).ok)
  const results = readLog(paths.events).events.flatMap(event =>
    event.type === 'dependencies.ended' ? event.result : [],
  )
  assert.deepEqual(results, ['made', 'made'])
  assert.ok(fs.existsSync(path.join(folder, 'tree/out.txt')))
})
