import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replaceUv } from '#host/project/python-project.ts'

test('where uv is missing, pip installs the project, if python3 can make environments', async () => {
  const step = { tool: 'python', program: 'uv', command: 'cd a && uv sync --frozen', lockfiles: ['a/uv.lock'] }
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
