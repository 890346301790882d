import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { Project } from '#host/project/schema.ts'
import { listSharedPaths } from '#runner/dependencies/made-paths.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

it('untracked dependencies are shared, build output only on request', t => {
  const tree = createScratchFolder(t)
  const tracked = ['package.json', 'packages/a/package.json']
  const made = ['node_modules/x/index.js', 'packages/a/node_modules/y.js', 'dist/main.js', 'generated/types.d.ts']
  for (const file of [...tracked, ...made]) {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true })
    fs.writeFileSync(path.join(tree, file), '')
  }
  const dependencies = ['node_modules', 'packages/a/node_modules']
  assert.deepEqual(listSharedPaths(tree, tracked, Project.parse({})), dependencies)
  const project = Project.parse({ makes: ['generated'] })
  assert.deepEqual(listSharedPaths(tree, tracked, project), ['generated', ...dependencies])
})

it("what Yarn puts into .yarn is shared only with its Plug'n'Play", t => {
  const tree = createScratchFolder(t)
  const write = (file: string) => {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true })
    fs.writeFileSync(path.join(tree, file), '')
  }
  for (const file of ['.yarn/releases/yarn.cjs', '.yarn/cache/a.zip', 'node_modules/a/i.js']) write(file)
  const list = () => listSharedPaths(tree, ['.yarn/releases/yarn.cjs'], Project.parse({}))
  assert.deepEqual(list(), ['node_modules'])
  write('.pnp.cjs')
  assert.deepEqual(list(), ['.pnp.cjs', '.yarn/cache', 'node_modules'])
})
