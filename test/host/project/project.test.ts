import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { copyTree } from '#host/fs'
import { buildCopyArguments } from '#host/fs/copy-tree.ts'
import { confirmProject, isProjectConfirmed, proposeProject, readInstructions, readProject } from '#host/project'
import { detectInstallSteps } from '#host/project/detect.ts'
import { classifyEntries } from '#host/project/instructions.ts'
import { parseProject } from '#host/project/project.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const none = () => Promise.resolve('')

test('lock files become the commands that fetch what they name', async () => {
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
    [['go.mod', 'go.sum'], ['go mod download']],
    [['Cargo.lock'], ['cargo fetch --locked']],
    [
      ['package-lock.json', 'api/requirements.txt', 'web/yarn.lock'],
      [
        'npm ci',
        'cd api && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
        'cd web && yarn install --frozen-lockfile',
      ],
    ],
    [['node_modules/x/package-lock.json', 'tests/package-lock.json', 'a/b/package-lock.json'], []],
  ]
  for (const [files, wanted, text] of cases) {
    const steps = await detectInstallSteps(files, text === undefined ? none : () => Promise.resolve(text))
    assert.deepEqual(
      steps.map(({ command }) => command),
      wanted,
      files.join(),
    )
  }
})

test('a project file is strict, and every problem has its line', () => {
  const good = parseProject('f', '{\n // why\n "setup": ["make"], "limit": 60, }')
  assert.deepEqual([good.setup, good.limit, good.files], [['make'], 60, []])
  const bad: [string, RegExp][] = [
    ['{"setup": ["a\\nb"]}', /line 1: setup\.0: one line/],
    ['{\n"files": ["/etc/passwd"]}', /line 2: files\.0: a path from the top/],
    ['{\n"files": [\n"a/../../b"]}', /line 3: files\.0/],
    ['{"files": [".git/config"]}', /files\.0/],
    ['{"hosts": ["http://x"]}', /hosts\.0: a host name/],
    ['{"environment": ["A=1"]}', /environment\.0: the name of a variable/],
    ['{"limit": 0}', /limit: /],
    ['[]', /line 1: the whole: /],
    ['{"__proto__": {"x": 1}, "setup": "x"}', /setup/],
    ['{,}', /line 1, column 2/],
  ]
  for (const [text, words] of bad)
    assert.throws(
      () => parseProject('f.json', text),
      error =>
        error instanceof DispatchError &&
        error.exitCode === 2 &&
        words.test(error.message) &&
        /f\.json/.test(error.message),
      text,
    )
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('a yes holds for exactly one content of one repository, and going back is a change too', t => {
  const home = createScratchFolder(t)
  confirmProject(home, '/a', 'one')
  assert.ok(isProjectConfirmed(home, '/a', 'one'))
  assert.ok(!isProjectConfirmed(home, '/b', 'one'))
  confirmProject(home, '/a', 'two')
  assert.ok(!isProjectConfirmed(home, '/a', 'one'))
})

async function repository(t: TestContext, files: Record<string, string>): Promise<{ path: string; commit: string }> {
  const folder = path.join(createScratchFolder(t), 'r')
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    if (text.startsWith('-> ')) fs.symlinkSync(text.slice(3), path.join(folder, name))
    else fs.writeFileSync(path.join(folder, name), text)
  }
  const git = async (...words: string[]) => {
    const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...words], { cwd: folder })
    assert.equal(ran.exitCode, 0, ran.stderr)
    return ran.stdout.trim()
  }
  await git('init', '-q')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'one')
  return { path: folder, commit: await git('rev-parse', 'HEAD') }
}

test('a proposal names the commands, the hosts of the lock file, and ignored files that tests need', async t => {
  const found = await repository(t, {
    'package-lock.json': JSON.stringify({ resolved: 'https://u:p@packages.example.org/a.tgz' }),
    '.gitignore': '.env*\n',
  })
  for (const name of ['.env.test', '.env', '.env.local']) fs.writeFileSync(path.join(found.path, name), 'A=1\n')
  const proposal = await proposeProject(found)
  assert.deepEqual(proposal?.project.setup, ['npm ci'])
  assert.deepEqual(proposal?.project.files, ['.env.test'])
  assert.ok(proposal?.project.hosts.includes('packages.example.org'), proposal?.project.hosts.join())
  assert.equal(await proposeProject(await repository(t, { 'a.txt': 'a' })), undefined)
})

test('a project file that is a link is not followed', async t => {
  const found = await repository(t, { '.dispatch.json': '-> /etc/hostname' })
  assert.throws(() => readProject(found.path), /not a plain file/)
})

test('instructions: the top ones as text, a link once, deeper ones named, settings and commands only listed', async t => {
  const found = await repository(t, {
    'CLAUDE.md': 'rules of the house\n',
    'AGENTS.md': '-> CLAUDE.md',
    '.claude/CLAUDE.md': 'more rules\n',
    'packages/a/AGENTS.md': 'deep',
    '.claude/settings.json': '{}',
    '.claude/settings.local.json': '{}',
    '.mcp.json': '{}',
    '.claude/commands/a.md': 'a',
    '.claude/commands/b.md': 'b',
    '.claude/agents/c.md': 'c',
  })
  fs.writeFileSync(path.join(found.path, 'CLAUDE.md'), 'changed, not committed\n')
  const { texts, nested, ignored } = await readInstructions(found)
  assert.deepEqual(texts, [
    { path: '.claude/CLAUDE.md', text: 'more rules' },
    { path: 'CLAUDE.md', text: 'rules of the house' },
  ])
  assert.deepEqual(nested, ['packages/a/AGENTS.md'])
  assert.deepEqual(ignored.sort(), [
    '.claude/agents/ (1 file)',
    '.claude/commands/ (2 files)',
    '.claude/settings.json',
    '.claude/settings.local.json',
    '.mcp.json',
  ])
})

test('a link of instructions out of the repository leads nowhere', async t => {
  const found = await repository(t, { 'CLAUDE.md': '-> /etc/hostname', 'AGENTS.md': '-> ../../x', 'a.txt': 'a' })
  assert.deepEqual((await readInstructions(found)).texts, [])
  assert.deepEqual(classifyEntries([{ path: 'CLAUDE.md', mode: '160000' }]).own, [])
})

test('a folder is copied with its links as links and its modes', async t => {
  const folder = createScratchFolder(t)
  fs.mkdirSync(path.join(folder, 'from/deep'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'from/deep/x.sh'), 'x', { mode: 0o755 })
  fs.symlinkSync('deep/x.sh', path.join(folder, 'from/link'))
  await copyTree(path.join(folder, 'from'), path.join(folder, 'a/to'))
  assert.equal(fs.readlinkSync(path.join(folder, 'a/to/link')), 'deep/x.sh')
  assert.equal(fs.statSync(path.join(folder, 'a/to/deep/x.sh')).mode & 0o777, 0o755)
  await assert.rejects(copyTree(path.join(folder, 'absent'), path.join(folder, 'b')), /could not be copied/)
  assert.deepEqual(buildCopyArguments('a', 'b', 'darwin'), ['-c', '-R', '-p', '-P', 'a', 'b'])
})
