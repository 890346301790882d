import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { buildCacheVariables, copyWrittenCaches, findSharedCaches } from '#host/toolchains'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('caches that nothing writes into are shared, the others are copied', async t => {
  const folder = createScratchFolder(t)
  const [setup, home] = [path.join(folder, 'setup'), path.join(folder, 'home')]
  const names = [
    '.cache/node/corepack/v1/pnpm/x',
    'Library/Caches/ms-playwright/x',
    '.cache/go-build/00/x',
    '.m2/repository/x',
    '.m2/wrapper/dists/apache-maven-3.9.9/x',
    '.gradle/caches/x',
    '.cache/coursier/v1/https/x',
    '.pub-cache/hosted/x',
    '.conan2/p/x',
    '.julia/packages/x',
    '.cache/zig/p/x',
  ]
  for (const name of [...names, '.npmrc', '.m2/settings.xml', '.npm/_logs/x']) {
    fs.mkdirSync(path.dirname(path.join(setup, name)), { recursive: true })
    fs.writeFileSync(path.join(setup, name), '')
  }
  assert.deepEqual(findSharedCaches(setup), {
    COREPACK_HOME: path.join(setup, '.cache/node/corepack'),
    PLAYWRIGHT_BROWSERS_PATH: path.join(setup, 'Library/Caches/ms-playwright'),
  })
  await copyWrittenCaches(setup, home)
  const copied = fs.readdirSync(home, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  assert.deepEqual(copied.map(entry => path.relative(home, path.join(entry.parentPath, entry.name))).sort(), [
    '.cache/coursier/v1/https/x',
    '.cache/go-build/00/x',
    '.cache/zig/p/x',
    '.conan2/p/x',
    '.gradle/caches/x',
    '.julia/packages/x',
    '.m2/repository/x',
    '.m2/wrapper/dists/apache-maven-3.9.9/x',
    '.pub-cache/hosted/x',
  ])
})

test('the variables lead into the home that is given, on each system', () => {
  const linux = buildCacheVariables('/h', { platform: 'linux' })
  assert.equal(linux['GOCACHE'], '/h/.cache/go-build')
  assert.equal(buildCacheVariables('/h', { isSetup: true })['MAVEN_OPTS'], '-Duser.home=/h')
  assert.equal(linux['MAVEN_OPTS'], '-Duser.home=/h -Daether.enhancedLocalRepository.trackingFilename=none')
  assert.equal(buildCacheVariables('/h', { platform: 'darwin' })['GOCACHE'], '/h/Library/Caches/go-build')
  assert.equal(buildCacheVariables('/h', { platform: 'darwin' })['UV_CACHE_DIR'], '/h/.cache/uv')
  assert.equal(buildCacheVariables('/my h')['MAVEN_OPTS'], undefined, 'Maven splits at the blank')
})
