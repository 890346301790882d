import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listSetupVariables, noToolchains } from '#host/toolchains'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a setup uses the Python of the user that uv manages, and makes other folders for itself', t => {
  const folder = createScratchFolder(t)
  const variables = { UV_PYTHON_INSTALL_DIR: folder, COREPACK_HOME: folder, RUSTUP_HOME: folder }
  const listNames = () => Object.keys(listSetupVariables({ ...noToolchains, variables }))
  assert.deepEqual(listNames(), ['RUSTUP_HOME'], 'no Python is there, so uv must be able to install one')
  fs.mkdirSync(path.join(folder, 'cpython-3.13.0-linux-x86_64-gnu'))
  assert.deepEqual(listNames(), ['UV_PYTHON_INSTALL_DIR', 'RUSTUP_HOME'])
  const inNodeModules = { PLAYWRIGHT_BROWSERS_PATH: '0' }
  assert.deepEqual(listSetupVariables({ ...noToolchains, variables: inNodeModules }), inNodeModules)
})
