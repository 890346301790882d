import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { proposeProject } from '#host/project'
import { addPythonFileHost, detectInstallSteps } from '#host/project/detect.ts'
import { createRepository } from '../../fixtures/host/repository.ts'

const readNothing = () => Promise.resolve('')

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
    [['my app;/go.sum'], ["cd 'my app;' && go mod download"]],
    [['node_modules/x/package-lock.json', 'tests/package-lock.json', 'a/b/package-lock.json'], []],
  ]
  for (const [files, commands, text] of cases) {
    const steps = await detectInstallSteps(files, text === undefined ? readNothing : () => Promise.resolve(text))
    assert.deepEqual(
      steps.map(({ command }) => command),
      commands,
      files.join(),
    )
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

test('the index of Python brings the host of its files', () => {
  assert.deepEqual(addPythonFileHost([]), ['pypi.org', 'files.pythonhosted.org'])
  assert.deepEqual(addPythonFileHost(['pypi.org']), ['pypi.org', 'files.pythonhosted.org'])
  assert.deepEqual(addPythonFileHost(['mirror.example']), ['mirror.example'])
})
