import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { findFilesWith } from '../fixtures/find-files.ts'
import { commitFolder, type Rig, withRig } from '../fixtures/rig.ts'
import { whyNoSandbox } from '../fixtures/skip-reasons.ts'
import { sampleCases } from '../long/select-cases.ts'

const token = 'npm_private-registry-token-4711'
const secretValue = 'the-value-of-the-variable-4711'
const task = 'print what the private package knows'

const contract = `
# Contract: the private package

## C1 — Running main.js prints what the package knows
- covers: S1
- check: \`cat node_modules/value; env; cat $HOME/.npmrc; node main.js\`
- expect: output contains \`knows 41\`
- expect: output contains \`${createHash('sha256').update(secretValue).digest('hex')}\`

## C2 — Nothing else is made
- scope: \`main.js\`
`

const createScenario = (isSandboxed: boolean): Scenario => ({
  title: '',
  task,
  workers: {
    '*': [
      bash(`env; ${isSandboxed ? 'cat ~/.npmrc;' : ''} cat node_modules/value`),
      put('main.js', "console.log('knows', require('@corp/dep'))"),
      say('main.js prints what the package knows.'),
    ],
  },
  orchestrator: [
    put('contract.md', contract),
    spawn('code --name code --clauses C1', 'Write main.js.'),
    bash('wait-workers'),
    bash('submit'),
    heard => say(heard.lastText.slice(0, 200)),
  ],
  endStates: ['PASS'],
})

/** A registry with one package, which answers 401 to a request without the token. */
async function startRegistry(rig: Rig, t: TestContext) {
  const folder = path.join(rig.home, 'registry/package')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"@corp/dep","version":"1.0.0","main":"i.js"}')
  fs.writeFileSync(path.join(folder, 'i.js'), 'module.exports = 41\n')
  const tarball = path.join(rig.home, 'registry/dep.tgz')
  await runProgram('tar', ['czf', tarball, '-C', path.dirname(folder), 'package'])
  const refused: string[] = []
  const listener = http.createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      refused.push(request.url ?? '')
      return response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{"error":"authentication required"}')
    }
    if (request.url?.endsWith('.tgz')) return response.end(fs.readFileSync(tarball))
    return response.writeHead(404).end('{}')
  })
  listener.listen(0, '127.0.0.1')
  t.after(() => listener.close())
  await once(listener, 'listening')
  const integrity = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    integrity,
    refused,
  }
}

/** A project whose only dependency is the private package. */
async function createProject(
  rig: Rig,
  { address, integrity }: { address: string; integrity: string },
): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder)
  const dependencies = { '@corp/dep': '1.0.0' }
  const resolved = `http://${address}/@corp/dep/-/dep-1.0.0.tgz`
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'p', version: '1.0.0', dependencies }))
  fs.writeFileSync(
    path.join(folder, 'package-lock.json'),
    JSON.stringify({
      name: 'p',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'p', version: '1.0.0', dependencies },
        'node_modules/@corp/dep': { version: '1.0.0', resolved, integrity },
      },
    }),
  )
  fs.writeFileSync(path.join(folder, '.gitignore'), 'node_modules\n')
  return commitFolder(folder)
}

const npmrc = (address: string) => `@corp:registry=http://${address}/\n//${address}/:_authToken=${token}\n`

describe('a private registry', { concurrency: 2 }, () => {
  for (const sandbox of sampleCases(['off', 'auto'], 1))
    it(
      `is reached by the setup, and by no agent or check (SANDBOX=${sandbox})`,
      {
        skip: sandbox === 'auto' ? whyNoSandbox : false,
      },
      t =>
        withRig(
          createScenario(sandbox === 'auto'),
          async rig => {
            const server = await startRegistry(rig, t)
            fs.writeFileSync(path.join(rig.home, 'home/.npmrc'), npmrc(server.address))
            const cwd = await createProject(rig, server)
            const prepared = await rig.dispatch(['prepare', '--yes'], { cwd })
            assert.equal(prepared.exitCode, 0, prepared.stderr)
            assert.match(prepared.stdout, /reads +~\/\.npmrc \(only these commands; agents and checks cannot\)/)
            const file = path.join(cwd, '.dispatch.json')
            const project = JSON.parse(fs.readFileSync(file, 'utf8'))
            assert.deepEqual(project.credentials, ['~/.npmrc'])
            assert.ok(project.hosts.includes(server.address), project.hosts.join())
            const hashValue = 'printf %s "$PRIVATE_VALUE" | sha256sum > node_modules/value'
            const changed = {
              ...project,
              setup: ['npm ci', hashValue],
              environment: ['PRIVATE_VALUE', 'CORP_SKIP_DOWNLOAD'],
            }
            fs.writeFileSync(file, JSON.stringify(changed))
            const env = { PRIVATE_VALUE: secretValue }
            await rig.dispatch(['prepare', '--yes'], { cwd, env })
            const ran = await rig.dispatch([task, '--wait'], { cwd, env })
            assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
            assert.deepEqual(server.refused, [])
            assert.match(ran.stdout, /CORP_SKIP_DOWNLOAD, which \.dispatch\.json names, has no value in this shell/)
            const home = path.join(rig.home, 'dispatch')
            for (const secret of [token, secretValue])
              assert.deepEqual(findFilesWith(home, secret), [], 'a file has the secret')
            assert.ok(!rig.models.requests.some(({ body }) => body.includes(secretValue)))
          },
          { SANDBOX: sandbox, ROUNDS: '1' },
        ),
    )

  it('without a login, the failure says what the registry answered and where to look', t =>
    withRig(
      {
        ...createScenario(false),
        orchestrator: [
          put('contract.md', contract),
          bash('contract check'),
          ...Array.from({ length: 6 }, () => say('I stop.')),
        ],
      },
      async rig => {
        const server = await startRegistry(rig, t)
        const cwd = await createProject(rig, server)
        await rig.dispatch(['prepare', '--yes'], { cwd })
        const ran = await rig.dispatch([task, '--wait'], { cwd })
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        const { problem } = rig.readStatus()
        assert.match(
          problem ?? '',
          /setup failed, so no check can run: `npm ci` ended with exit 1: Unable to authenticate, your authentication token seems to be invalid/,
        )
        assert.match(problem ?? '', /full output: \S+evidence\/setup-\w+\.txt/)
        assert.doesNotMatch(ran.stdout, /tried to end its turn/)
      },
    ))
})
