import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { addProject, findProject, listProjects, proposeNames, type RegisteredProject, removeProject } from '#projects'
import { createScratchFolder } from '../fixtures/scratch.ts'

const createProject = (changes: Partial<RegisteredProject> = {}): RegisteredProject => ({
  name: 'web-shop',
  prefix: 'ws',
  path: '/src/web-shop',
  remote: 'origin',
  targetBranch: 'main',
  maxSessions: null,
  landing: null,
  gates: [],
  issues: null,
  pullRequests: null,
  addedAt: '2026-11-30T12:00:00.000Z',
  ...changes,
})

test('a project is found by its name or its prefix, until it is removed', t => {
  const home = createScratchFolder(t)
  assert.deepEqual(listProjects(home), [])
  const project = createProject()
  addProject(home, project)
  assert.deepEqual(listProjects(home), [project])
  assert.deepEqual(findProject(home, 'web-shop'), project)
  assert.deepEqual(findProject(home, 'ws'), project)
  const file = path.join(home, 'projects/web-shop.json')
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700)
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['web-shop.json'])
  removeProject(home, project)
  assert.throws(() => findProject(home, 'web-shop'), { exitCode: 4 })
})

test('name, prefix and path belong to one project', t => {
  const home = createScratchFolder(t)
  addProject(home, createProject())
  const other = { name: 'api', prefix: 'api', path: '/src/api' }
  for (const [changes, message] of [
    [{ ...other, name: 'web-shop' }, /the name web-shop belongs to \/src\/web-shop/],
    [{ ...other, prefix: 'ws' }, /the prefix ws belongs to web-shop/],
    [{ ...other, path: '/src/web-shop' }, /registered already, as web-shop/],
    [{ ...other, prefix: 'q' }, /items of the queue/],
  ] as const)
    assert.throws(() => addProject(home, createProject(changes)), { exitCode: 5, message })
  assert.equal(listProjects(home).length, 1)
})

test('a damaged file is exit 10, and names itself', t => {
  const home = createScratchFolder(t)
  addProject(home, createProject())
  for (const content of ['{', '{"name":"web-shop"}', JSON.stringify(createProject({ name: 'other' }))]) {
    fs.writeFileSync(path.join(home, 'projects/web-shop.json'), content)
    assert.throws(() => listProjects(home), { exitCode: 10, message: /web-shop\.json is damaged/ })
  }
})

test('proposed names are made from the folder, and are free', () => {
  const propose = (folder: string, taken: { name: string; prefix: string }[] = []) => {
    const { name, prefix } = proposeNames(folder, taken)
    return `${name} ${prefix}`
  }
  assert.equal(propose('/src/api'), 'api api')
  assert.equal(propose('/src/Claude_Dispatch.git'), 'claude-dispatch-git cdg')
  assert.equal(propose('/src/website'), 'website webs')
  assert.equal(propose('/src/Größe'), 'gro-e ge')
  assert.equal(propose('/src/Müller'), 'muller mull')
  assert.equal(propose('/src/2026-11'), 'project p')
  assert.equal(propose('/src/漢字'), 'project p')
  assert.equal(propose('/src/q'), 'q q2')
  assert.equal(propose('/other/api', [{ name: 'api', prefix: 'api' }]), 'api-2 api2')
  const long = proposeNames(`/src/${'x'.repeat(200)}`, [{ name: 'x'.repeat(36), prefix: 'xxxx' }])
  assert.equal(long.name, `${'x'.repeat(36)}-2`)
})
