import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectInstallSteps } from '#host/project/detect.ts'
import { replaceUv } from '#host/project/python-project.ts'

test('where uv is missing, pip installs the project, if python3 can make environments', async () => {
  const step = {
    tool: 'python',
    program: 'uv',
    command: 'cd a && uv sync --frozen --extra test',
    lockfiles: ['a/uv.lock'],
  }
  const files: Record<string, string> = { 'a/pyproject.toml': '[project]\n[dependency-groups]\ndev = ["pytest"]\n' }
  const read = async (file: string) => files[file] ?? Promise.reject(new Error(file))
  const machine = { isInstalled: () => false, makesEnvironments: async () => true }
  const { remark, ...replaced } = await replaceUv(step, read, machine)
  assert.deepEqual(replaced, {
    tool: 'python',
    program: 'pip',
    command:
      "cd a && python3 -m venv .venv && .venv/bin/pip install 'pip>=25.1' && .venv/bin/pip install -e '.' --group dev",
    lockfiles: ['a/uv.lock', 'a/pyproject.toml'],
  })
  assert.match(remark ?? '', /`pipx install uv`/)
  assert.equal(await replaceUv(step, read, { ...machine, isInstalled: () => true }), step)
  assert.equal(await replaceUv(step, read, { ...machine, makesEnvironments: async () => false }), step)
  const alone = { ...step, lockfiles: ['uv.lock'] }
  assert.equal(await replaceUv(alone, read, machine), alone, 'without a pyproject.toml')
  const pip = { ...step, program: 'pip' }
  assert.equal(await replaceUv(pip, read, machine), pip)
})

test('what the tests need is installed, however the project names it', async () => {
  const poetry = 'POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction'
  const venv = 'python3 -m venv .venv && .venv/bin/pip install'
  const extras = '[project]\nname = "x"\n[project.optional-dependencies]\ntest = ["pytest"]\ndocs = []\n'
  const groups = '[dependency-groups]\ndev = ["ruff"]\ntests = ["pytest"]\n'
  const cases: [files: Record<string, string>, command: string][] = [
    [{ 'uv.lock': '', 'pyproject.toml': extras + groups }, 'uv sync --frozen --extra test --group tests'],
    [{ 'uv.lock': '', 'pyproject.toml': groups.replace('tests', 'docs') }, 'uv sync --frozen'],
    [{ 'poetry.lock': '', 'pyproject.toml': '[tool.poetry.extras]\ntests = ["pytest"]\n' }, `${poetry} --extras tests`],
    [{ 'pyproject.toml': '[build-system]\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n' }, poetry],
    [{ 'pyproject.toml': '[build-system]\n[tool.poetry.dev-dependencies]\npytest = "*"\n' }, poetry],
    [{ 'setup.py': 'setup(extras_require={"docs": [], "test": ["pytest"]})' }, `${venv} -e '.[test]'`],
    [{ 'setup.py': 'setup(extras_require=dict(tests=["pytest"]))' }, `${venv} -e '.[tests]'`],
    [{ 'setup.py': '', 'setup.cfg': '[options.extras_require]\ndev =\n    pytest\n' }, `${venv} -e '.[dev]'`],
  ]
  for (const [files, command] of cases) {
    const [step] = await detectInstallSteps(Object.keys(files), file => Promise.resolve(files[file] ?? ''))
    assert.equal(step?.command, command, JSON.stringify(files))
  }
})
