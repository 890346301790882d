import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { addNamedToolchains, findToolchains, identifyToolchains, type Toolchains } from '#host/toolchains'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Files below a folder, each an executable program or, with a `->`, a link. */
function lay(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    if (text.startsWith('-> ')) fs.symlinkSync(text.slice(3), file)
    else fs.writeFileSync(file, text, { mode: 0o755 })
  }
}

const find = async (home: string, variables: Record<string, string> = {}, untrustedFolders: string[] = []) => {
  const environment = { HOME: home, PATH: path.join(home, 'bin'), ...variables }
  const search = { untrustedFolders, environment }
  return addNamedToolchains(await findToolchains(search), ['ZIG_HOME', 'JAVA_HOME'], search)
}

const listFound = ({ found }: Toolchains) => found.map(({ name, folder }) => [name, folder])

test('a variable decides, else the tool is asked, else the usual place counts', async t => {
  const home = createScratchFolder(t)
  const said = path.join(home, 'elsewhere/rustup')
  lay(home, {
    'bin/rustup': `#!/bin/sh\n[ "$*" = "show home" ] && [ "$MY_OWN" = yes ] && pwd >"$HOME/asked-in" && echo '${said}'\n`,
    'elsewhere/rustup/settings.toml': '',
    'elsewhere/pyenv/versions/3.12/bin/python': '',
    'elsewhere/zig/zig': '',
    '.rustup/settings.toml': '',
    '.nvm/versions/node/v20/bin/node': '',
    '.volta/tools/x': '',
    'empty/.keep': '',
  })
  fs.mkdirSync(path.join(home, '.rbenv')) // Nothing is in it, so nobody uses it.
  const own = await find(home, {
    MY_OWN: 'yes',
    PYENV_ROOT: path.join(home, 'elsewhere/pyenv'),
    ZIG_HOME: path.join(home, 'elsewhere/zig'),
    RUSTUP_TOOLCHAIN: 'beta',
  })
  assert.deepEqual(listFound(own), [
    ['rustup', said],
    ['pyenv', path.join(home, 'elsewhere/pyenv')],
    ['nvm', path.join(home, '.nvm')],
    ['volta', path.join(home, '.volta')],
    ['ZIG_HOME', path.join(home, 'elsewhere/zig')],
  ])
  assert.equal(fs.readFileSync(path.join(home, 'asked-in'), 'utf8'), '/\n')
  assert.equal(own.variables['RUSTUP_HOME'], said)
  assert.equal(own.variables['RUSTUP_TOOLCHAIN'], 'beta', 'a version that the user chose in the shell')
  assert.deepEqual(own.problems, [])
  assert.equal((await find(home)).variables['RUSTUP_HOME'], path.join(home, '.rustup'), 'the tool gave no answer')
})

test('pyenv is asked only if its usual folder is not used', async t => {
  const home = createScratchFolder(t)
  const other = path.join(home, 'other')
  lay(home, {
    'bin/pyenv': `#!/bin/sh\necho x >> '${path.join(home, 'asked')}'\necho '${other}'\n`,
    'other/version': '3.12',
  })
  const search = { PATH: `${path.join(home, 'bin')}:/usr/bin:/bin` }
  assert.deepEqual(listFound(await find(home, search)), [['pyenv', other]])
  assert.equal(fs.readFileSync(path.join(home, 'asked'), 'utf8'), 'x\n')
  lay(home, { '.pyenv/version': '3.13' })
  assert.deepEqual(listFound(await find(home, search)), [['pyenv', path.join(home, '.pyenv')]])
  assert.equal(fs.readFileSync(path.join(home, 'asked'), 'utf8'), 'x\n', 'not asked again')
})

test('no program of the repository is run, whatever PATH and BASH_ENV say', async t => {
  const home = createScratchFolder(t)
  const repository = path.join(home, 'repo')
  const trap = `#!/bin/sh\ntouch '${path.join(home, 'ran')}'\n`
  lay(repository, { '.venv/bin/pyenv': trap, 'node_modules/.bin/rustup': trap, 'trap.sh': trap })
  lay(home, {
    'links/asdf': `-> ${path.join(repository, '.venv/bin/pyenv')}`,
    'bin/rbenv': '#!/bin/bash\necho /nowhere\n',
  })
  const searchPath = ['.', `${repository}/.venv/bin`, `${repository}/node_modules/.bin`, 'links', 'bin']
    .map(folder => (folder === '.' || path.isAbsolute(folder) ? folder : path.join(home, folder)))
    .concat('/usr/bin', '/bin')
    .join(':')
  const { found } = await find(home, { PATH: searchPath, BASH_ENV: path.join(repository, 'trap.sh') }, [repository])
  assert.deepEqual(found, [])
  assert.ok(!fs.existsSync(path.join(home, 'ran')))
})

test('a folder that contains your home or the repository is not passed on, and the line names the variable', async t => {
  const home = createScratchFolder(t)
  const repository = path.join(home, 'src/repo')
  lay(repository, { 'jdk/release': '' })
  const { found, problems, variables } = await find(
    home,
    {
      RUSTUP_HOME: home,
      JAVA_HOME: path.join(repository, 'jdk'),
      NVM_DIR: path.join(home, 'src'),
      GOROOT: 'go',
      FNM_DIR: '/nowhere',
      ZIG_HOME: 'zig',
    },
    [repository],
  )
  assert.deepEqual(found, [])
  assert.deepEqual(variables, {})
  const expected = [
    'RUSTUP_HOME: .* contains your home',
    'NVM_DIR: .* contains the repository',
    'FNM_DIR is /nowhere, which is not',
  ]
  for (const line of [
    ...expected,
    'JAVA_HOME: .* lies where agents write',
    'GOROOT is go, which is not a folder',
    'ZIG_HOME is zig, which is not a folder',
  ])
    assert.ok(
      problems.some(problem => new RegExp(line).test(problem)),
      `${line} is not in ${problems.join('\n')}`,
    )
})

test('what a folder links to is readable too, and links of one shell are followed on PATH', async t => {
  const home = createScratchFolder(t)
  lay(home, {
    'built/rust/bin/rustc': '',
    '.rustup/toolchains/mine': `-> ${path.join(home, 'built/rust')}`,
    '.rustup/toolchains/all': `-> ${home}`,
    '.local/share/fnm/node-versions/v20/bin/node': '',
    'run/fnm_multishells/1_2': `-> ${path.join(home, '.local/share/fnm/node-versions/v20')}`,
    '.local/share/mise/installs/node/22/bin/node': '',
    'bin/mise': `#!/bin/sh\n[ "$1" = bin-paths ] && echo "$HOME/.local/share/mise/installs/node/22/bin"\n`,
    '.asdf/installs/ruby/3/bin/ruby': '',
    '.tool-versions': 'ruby 3\n',
  })
  const { found, variables } = await find(home, {
    PATH: `${home}/run/fnm_multishells/1_2/bin:${home}/bin:/usr/bin:/bin`,
  })
  const readable = (name: string) => found.find(toolchain => toolchain.name === name)?.readable
  assert.deepEqual(readable('rustup'), [fs.realpathSync(path.join(home, 'built/rust'))])
  assert.deepEqual(readable('asdf'), [path.join(home, '.tool-versions')])
  const real = fs.realpathSync(home)
  assert.equal(
    variables['PATH'],
    `${real}/.local/share/fnm/node-versions/v20/bin:${home}/bin:/usr/bin:/bin:${home}/.local/share/mise/installs/node/22/bin`,
  )
})

test('the usual places of macOS, XDG_DATA_HOME and XDG_CACHE_HOME are known', async t => {
  const home = createScratchFolder(t)
  lay(home, {
    'Library/Application Support/fnm/node-versions/v20/x': '',
    'Library/Caches/ms-playwright/chromium-1/x': '',
    'data/mise/installs/node/22/x': '',
    'caches/node/corepack/v1/x': '',
  })
  const moved = { XDG_DATA_HOME: path.join(home, 'data'), XDG_CACHE_HOME: path.join(home, 'caches') }
  assert.deepEqual(listFound(await find(home, moved)), [
    ['fnm', path.join(home, 'Library/Application Support/fnm')],
    ['mise', path.join(home, 'data/mise')],
    ['corepack', path.join(home, 'caches/node/corepack')],
    ['playwright', path.join(home, 'Library/Caches/ms-playwright')],
  ])
  const { variables, problems } = await find(home, { PLAYWRIGHT_BROWSERS_PATH: '0' })
  assert.deepEqual([variables['PLAYWRIGHT_BROWSERS_PATH'], problems], ['0', []], 'the browsers are in node_modules')
})

test('an update, another version and another choice are another identity', async t => {
  const home = createScratchFolder(t)
  lay(home, {
    '.rustup/settings.toml': 'default_toolchain = "stable"',
    '.rustup/update-hashes/stable': '1',
    '.rustup/toolchains/stable/bin/rustc': '',
    '.pyenv/version': '3.12',
    '.asdf/installs/x': '',
    '.tool-versions': 'ruby 3',
  })
  const identify = async (commands?: string[], variables = {}) =>
    identifyToolchains(await find(home, variables), home, commands)
  const [all, rust, python] = [await identify(), await identify(['cargo test']), await identify(['pip install'])]
  assert.equal(await identify(), all)
  fs.writeFileSync(path.join(home, '.rustup/update-hashes/stable'), '22')
  assert.notEqual(await identify(), all)
  assert.notEqual(await identify(['cargo test']), rust)
  assert.notEqual(await identify(['make']), all, 'what make runs is not known, so every toolchain counts')
  assert.equal(await identify(['pip install']), python, 'Python has nothing to do with it')
  fs.writeFileSync(path.join(home, '.pyenv/version'), '3.13')
  assert.notEqual(await identify(['pip install']), python)
  const before = await identify()
  fs.writeFileSync(path.join(home, '.tool-versions'), 'ruby 4')
  assert.notEqual(await identify(), before)
  assert.notEqual(await identify(undefined, { PYENV_VERSION: '3.11' }), await identify())
})
