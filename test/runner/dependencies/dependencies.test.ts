import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { createDependencies } from '#runner/dependencies/dependencies.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

it('of several environments that of the folder of the command comes first', t => {
  const tree = createScratchFolder(t)
  const paths = ['api/.venv', 'node_modules', 'web/node_modules', 'worker/.venv']
  const folders = ['api/.venv/bin', 'node_modules/.bin', 'web/node_modules/.bin', 'worker/.venv/bin']
  for (const folder of folders) fs.mkdirSync(path.join(tree, folder), { recursive: true })
  const made = { key: 'k', tree, home: path.join(tree, 'home'), paths }
  const dependencies = createDependencies(createTestContext(t).session.paths, made)
  assert.ok(dependencies.ok)
  const list = (command?: string) =>
    dependencies.listProgramFolders(tree, command).map(name => path.relative(tree, name))
  const [api = '', top = '', web = '', worker = ''] = folders
  const cases: [command: string | undefined, expected: string[]][] = [
    [undefined, [top, api, web, worker]],
    ['python3 -m pytest', [top, api, web, worker]],
    ['cd worker && python3 -m pytest', [worker, top, api, web]],
    ["cd './worker/' ; python3 -m pytest", [worker, top, api, web]],
    ['cd worker/tests && pytest', [worker, top, api, web]],
    ['cd web && npm test', [web, top, api, worker]],
    ['cd workers && pytest', [top, api, web, worker]],
  ]
  for (const [command, expected] of cases) assert.deepEqual(list(command), expected, command)
})
