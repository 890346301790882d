import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { prepareProject, resolveProject } from '#cli/input/project.ts'
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

it('a file that was not confirmed is confirmed for its own repository, wherever you are', async t => {
  const repository = { ...(await createRepository(t, { '.dispatch.json': '{}' })), branch: null, uncommittedFiles: 0 }
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const options = { sandbox: { kind: null, reason: '' }, say: () => undefined, mayAsk: false }
  await assert.rejects(resolveProject(config, repository, options), {
    exitCode: 5,
    remedy: `It lists commands to run. Review and confirm it: dispatch prepare --repo '${repository.path}'`,
  })
})

it('prepare names what lies deeper and is not set up, beside a proposal and beside a file', async t => {
  const files = { 'package-lock.json': '{}', 'services/api/go.mod': 'module x', 'services/web/package-lock.json': '{}' }
  const repository = { ...(await createRepository(t, files)), branch: null, uncommittedFiles: 0 }
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const sandbox = { kind: null, reason: '' }
  const prepare = async () => {
    const printed: string[] = []
    const write = t.mock.method(process.stdout, 'write', (text: string) => printed.push(text) > 0)
    await prepareProject({ config, repository, sandbox, ask: () => Promise.resolve(false) })
    write.mock.restore()
    return /this sets up nothing for (.*?):/.exec(printed.join(''))?.[1]
  }
  assert.equal(await prepare(), 'services/api/go.mod, services/web/package-lock.json')
  const write = (setup: string[]) =>
    fs.writeFileSync(path.join(repository.path, '.dispatch.json'), JSON.stringify({ setup }))
  write(['npm ci', 'cd services/web && npm ci'])
  assert.equal(await prepare(), 'services/api/go.mod')
  write([])
  assert.equal(await prepare(), undefined)
})
