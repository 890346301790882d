import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { connectForge, type Forge, ForgeError, probeRights } from '#forge'
import { isDenied, toForgeError } from '#forge/errors.ts'
import { APP_INSTALLATION, noLogin, openForge } from '../fixtures/forge.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

const address = { host: 'github.com', owner: 'ada', name: 'notes', isPlainHttp: false }
const see = (forge: Forge) => forge.request('see it', client => client.rest.repos.get(forge.repository))

test('without a login it is exit 7, and a token goes to no host that is not known as GitHub', async () => {
  await assert.rejects(connectForge(address, noLogin), { exitCode: 7, message: /no login for github\.com/ })
  const elsewhere = { ...address, host: 'git.corp.example' }
  const refused = connectForge(elsewhere, { ...noLogin, GITHUB_TOKEN: 'ghp_x' })
  await assert.rejects(refused, { exitCode: 7, message: /GITHUB_TOKEN is sent only to github\.com/ })
})

test('a token for Enterprise goes to the host that you have named, and to no other', async t => {
  const folder = createScratchFolder(t)
  const gh = '#!/bin/sh\nprintf %s "$GH_ENTERPRISE_TOKEN"\n'
  fs.writeFileSync(path.join(folder, 'gh'), gh, { mode: 0o755 })
  const before = { ...process.env }
  t.after(() => Object.assign(process.env, { PATH: before['PATH'], GH_HOST: '', GH_ENTERPRISE_TOKEN: '' }))
  Object.assign(process.env, { PATH: `${folder}:${before['PATH']}`, GH_ENTERPRISE_TOKEN: 'ghe_x', GH_HOST: '' })
  const corp = { host: 'git.corp', owner: 'o', name: 'n', isPlainHttp: false }
  await assert.rejects(connectForge(corp, noLogin), { exitCode: 7 })
  process.env['GH_HOST'] = 'git.corp'
  assert.equal((await connectForge(corp, noLogin)).login.source, 'gh auth token --hostname git.corp')
  await assert.rejects(connectForge({ ...corp, host: 'evil.example' }, noLogin), { exitCode: 7 })
})

test('a login that is refused is exit 7', async t => {
  const { server } = await openForge(t)
  const forge = await connectForge(address, { ...noLogin, GITHUB_TOKEN: 'old', GITHUB_API_URL: server.apiUrl })
  await assert.rejects(see(forge), { exitCode: 7, message: /does not accept the login \(GITHUB_TOKEN\)/ })
})

test('a missing scope is named, and so is a missing permission', async t => {
  const { connect, connectApp, server } = await openForge(t)
  const classic = await connect('bob', { login: 'bob', scopes: ['gist'] })
  await assert.rejects(see(classic), { exitCode: 4, remedy: /lacks repo/ })
  const fine = await connect('bob', { login: 'bob', permissions: { contents: 'read' } })
  const opening = fine.request('open one', client =>
    client.rest.pulls.create({ ...fine.repository, head: 'a', base: 'main', title: 'x' }),
  )
  await assert.rejects(opening, { exitCode: 7, remedy: /lacks pull_requests: write\. Add it to the token/ })
  const app = await connectApp()
  const checking = app.request('check', client => client.rest.checks.listForRef({ ...app.repository, ref: 'main' }))
  await assert.rejects(checking, { remedy: /lacks checks: read\. Give the GitHub App this permission/ })
  const failed = { status: 404, headers: { 'x-oauth-scopes': 'gist', 'x-accepted-oauth-scopes': 'repo' }, data: {} }
  const error = Object.assign(new Error('Not Found'), { name: 'HttpError', status: 404, response: failed })
  const context = { action: 'see it', host: 'git.corp', source: 'gh auth token --hostname git.corp' }
  const { remedy } = toForgeError(error, context) as ForgeError
  assert.match(remedy, /lacks repo\. Run: gh auth refresh --hostname git\.corp --scopes repo$/)
  for (const [message, remedy] of [
    ['Repository was archived so is read-only.', /^The repository is archived/],
    ['GitHub Actions is not permitted to create or approve pull requests.', /^Allow it in the settings/],
    ['Must have admin rights to Repository.', /^Ask an owner/],
  ] as const) {
    const headers = { 'x-accepted-github-permissions': 'pull_requests=write' }
    server.fault = () => ({ status: 403, body: { message }, headers })
    await assert.rejects(see(fine), { exitCode: 7, remedy }, 'GitHub names what is needed with every answer')
    server.fault = () => ({ status: 404, body: { message: 'Not Found' }, headers })
    await assert.rejects(see(fine), { exitCode: 4, remedy: /may lack pull_requests: write/ })
  }
  server.fault = undefined
  const stranger = await connect('mallory')
  await assert.rejects(see(stranger), { exitCode: 4, remedy: /may not see/ })
})

test('a rate limit says when it goes on, and a short one is waited for', async t => {
  const { connect, server } = await openForge(t)
  const forge = await connect()
  const [token] = Object.values(server.state.tokens)
  assert.ok(token)
  token.rate = { remaining: 0, resetAt: Math.ceil(Date.now() / 1000) + 3600 }
  const time = new Date(token.rate.resetAt * 1000).toISOString().slice(0, 16)
  await assert.rejects(see(forge), { exitCode: 8, message: new RegExp(`rate limit.* ${time}`) })
  await assert.rejects(see(forge), error => !isDenied(error)) // It has the status of a right that is missing.
  token.rate = { remaining: 0, resetAt: Math.floor(Date.now() / 1000) }
  assert.equal((await see(forge)).data.name, 'notes')
  let count = 0
  server.fault = () =>
    count++ === 0
      ? { status: 403, body: { message: 'You have exceeded a secondary rate limit.' }, headers: { 'retry-after': '1' } }
      : undefined
  assert.equal((await see(forge)).data.name, 'notes')
  assert.ok(count > 1)
})

test('that of GraphQL has a type of its own, and says when it goes on although something remains', async t => {
  const { connect, server } = await openForge(t)
  const forge = await connect()
  const resetAt = Math.ceil(Date.now() / 1000) + 3600
  const headers = { 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': String(resetAt) }
  const errors = [{ type: 'RATE_LIMIT', code: 'graphql_rate_limit', message: 'API rate limit already exceeded.' }]
  server.fault = () => ({ status: 200, body: { data: null, errors }, headers })
  const asking = forge.request('see it', client => client.graphql('query { viewer { login } }'))
  const time = new Date(resetAt * 1000).toISOString().slice(0, 16)
  await assert.rejects(asking, { exitCode: 8, status: 429, message: new RegExp(`rate limit.* ${time}`) })
})

test('what a server fails at is tried again, but nothing is made twice', async t => {
  const { connect, server } = await openForge(t)
  const forge = await connect()
  let failures = 1
  server.fault = () => (failures-- > 0 ? 'break off' : undefined)
  assert.equal((await see(forge)).data.name, 'notes')
  const before = server.requests.length
  server.fault = () => 'break off'
  const making = forge.request('make one', client => client.rest.issues.create({ ...forge.repository, title: 'x' }))
  await assert.rejects(making, { exitCode: 6, message: /cannot be reached/ })
  assert.equal(server.requests.length, before + 1)
})

test('a list is read to its last page', async t => {
  const { connect, server, repository } = await openForge(t)
  const forge = await connect()
  for (let number = 0; number < 230; number++) repository.issues.push(createNumbered(number + 1))
  const all = await forge.request('list', client =>
    client.paginate(client.rest.issues.listForRepo, { ...forge.repository, per_page: 100 }),
  )
  assert.equal(all.length, 230)
  assert.equal(server.requests.filter(({ path: each }) => each.endsWith('/issues')).length, 3)
})

function createNumbered(number: number) {
  const now = new Date().toISOString()
  const empty = { comments: [], reactions: [], events: [], subIssues: [], labels: [], milestone: undefined }
  return {
    number,
    author: 'eve',
    title: `issue ${number}`,
    body: '',
    state: 'open' as const,
    createdAt: now,
    updatedAt: now,
    ...empty,
  }
}

test('a host that does not answer is exit 6, and nothing is lost', async t => {
  const { server } = await openForge(t)
  const config = { ...noLogin, GITHUB_TOKEN: 'x', GITHUB_API_URL: server.apiUrl }
  await server.close()
  const forge = await connectForge(address, config)
  await assert.rejects(
    forge.request('make one', client => client.rest.issues.create({ ...forge.repository, title: 'x' })),
    (error: unknown) => error instanceof ForgeError && error.exitCode === 6 && /Nothing is lost/.test(error.remedy),
  )
})

/** What the product needs. */
const needed = { contents: 'write', pull_requests: 'write', issues: 'write', checks: 'read', statuses: 'read' } as const

test('a GitHub App signs in with its key, and its installation is found', async t => {
  const { server } = await openForge(t)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const keyFile = path.join(createScratchFolder(t), 'app.pem')
  fs.writeFileSync(keyFile, privateKey)
  server.state.app = { id: '4711', publicKey, installation: 12, token: 'ghs_installed' }
  server.addToken('ghs_installed', { login: 'ada', permissions: { contents: 'write', pull_requests: 'write' } })
  const config = { ...noLogin, GITHUB_API_URL: server.apiUrl, GITHUB_APP_ID: '4711', GITHUB_APP_KEY_FILE: keyFile }
  const forge = await connectForge(address, config)
  assert.equal((await see(forge)).data.name, 'notes')
  const { missing } = await probeRights(forge)
  assert.deepEqual(missing, [
    'issues: write (to comment and label)',
    'checks: read (to see the checks of a commit)',
    'statuses: read (to see the statuses of a commit)',
  ])
  server.addToken('ghs_installed', { login: 'ada', permissions: { ...needed, contents: 'read' } })
  assert.deepEqual((await probeRights(forge)).missing, ['contents: write (to merge, and to claim issues)'])
  fs.writeFileSync(keyFile, 'no key')
  await assert.rejects(connectForge(address, config), { exitCode: 7, message: /no private key/ })
})

test('an App knows the name under which it comments, also with the number of its installation', async t => {
  const { connect, connectApp } = await openForge(t)
  assert.equal((await connectApp()).ownLogin, 'night-shift[bot]')
  assert.equal((await connectApp(String(APP_INSTALLATION))).ownLogin, 'night-shift[bot]')
  assert.equal((await connect()).ownLogin, undefined)
})

test('the rights of a login are found out without changing anything', async t => {
  const { connect, repository } = await openForge(t)
  assert.deepEqual(await probeRights(await connect()), { user: 'ada', missing: [] })
  const reader = await probeRights(await connect('eve'))
  assert.deepEqual(reader.missing, ['the role Write (to push branches and to merge)'])
  const permissions = { ...needed, pull_requests: 'read' } as const
  const fine = await probeRights(await connect('bob', { login: 'bob', permissions }))
  assert.deepEqual(fine.missing, ['pull_requests: write (to open pull requests)'])
  assert.equal(repository.issues.length, 0)
})
