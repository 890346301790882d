import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { resolveProject } from '#cli/input/project.ts'
import { readDefaultConfig } from '#host/config'
import { confirmProject, readProject } from '#host/project'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

it('the start of a session says that Docker cannot be used, until there are services', async t => {
  const repository = { ...(await createRepository(t, { 'compose.yaml': 'x' })), branch: null, uncommittedFiles: 0 }
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const listWarnings = async () => {
    const said: string[] = []
    const sandbox = { kind: null, reason: '' }
    await resolveProject(config, repository, { sandbox, say: line => said.push(line) })
    return said.filter(line => line.startsWith('compose.yaml: checks and workers cannot use Docker'))
  }
  const writeProject = (project: object) => {
    fs.writeFileSync(path.join(repository.path, '.dispatch.json'), JSON.stringify(project))
    confirmProject(config.home, repository.path, readProject(repository.path)?.sha256 ?? '')
  }
  assert.equal((await listWarnings()).length, 1)
  writeProject({})
  assert.equal((await listWarnings()).length, 1)
  writeProject({ services: [{ name: 'db', command: 'x', ready: 'x' }] })
  assert.equal((await listWarnings()).length, 0)
})
