import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { git } from '#host/git'
import { describeRemote, fetchBranch, findUpstream, pushCommit, readTransport, requirePush } from '#host/git/upstream'
import { startHttpServer, startSshServer } from '../../../fixtures/git-servers.ts'
import { createScratchFolder } from '../../../fixtures/scratch.ts'
import { whyNoProgram } from '../../../fixtures/skip-reasons.ts'

/** A remote with a branch, a checkout that may have odd settings, and a bare repository of dispatch. */
async function prepare(t: TestContext) {
  const folder = createScratchFolder(t)
  const [remote, checkout, bare, home] = ['remote.git', 'checkout', 'bare.git', 'home'].map(name =>
    path.join(folder, name),
  ) as [string, string, string, string]
  fs.mkdirSync(home)
  const before = { ...process.env }
  Object.assign(process.env, { HOME: home, GIT_CONFIG_GLOBAL: '', GIT_CONFIG_NOSYSTEM: '1' })
  delete process.env['GIT_CONFIG_GLOBAL']
  t.after(() => Object.assign(process.env, before))
  await git(['init', '--quiet', '--bare', remote])
  await git(['init', '--quiet', checkout])
  await git(['init', '--quiet', '--bare', bare])
  const run = (...args: string[]) => git(args, { cwd: checkout })
  const commit = async (message: string) => {
    await run('commit', '--quiet', '--allow-empty', '-m', message)
    return run('rev-parse', 'HEAD')
  }
  const first = await commit('first')
  await run('push', '--quiet', remote, 'HEAD:refs/heads/main')
  /** Make a commit known to the bare repository. */
  const hand = (hash: string) => git(['--git-dir', bare, 'fetch', '--quiet', checkout, hash])
  const readTip = () => git(['--git-dir', remote, 'rev-parse', 'main'])
  return { folder, remote, checkout, bare, home, run, commit, first, hand, readTip }
}

test('a branch is fetched and pushed as the configuration of the checkout says, which stays as it is', async t => {
  const { folder, remote, checkout, bare, run, commit, first, hand, readTip, home } = await prepare(t)
  fs.writeFileSync(path.join(home, '.gitconfig'), `[includeIf "gitdir:${checkout}/"]\n\tpath = ${folder}/included\n`)
  fs.writeFileSync(path.join(folder, 'included'), `[url "${folder}/"]\n\tinsteadOf = mine:\n`)
  await run('remote', 'add', 'upstream', 'mine:remote.git')
  const transport = await readTransport(checkout, 'upstream')
  assert.equal(await describeRemote(transport), remote)
  await fetchBranch(bare, transport, 'main', 'refs/landing/target')
  assert.equal(await git(['--git-dir', bare, 'rev-parse', 'refs/landing/target']), first)
  const second = await commit('second')
  await hand(second)
  const refs = await run('for-each-ref')
  assert.deepEqual(await pushCommit(bare, transport, { commit: second, branch: 'main', expected: first }), {
    kind: 'pushed',
  })
  assert.equal(await readTip(), second)
  assert.equal(await run('for-each-ref'), refs)
  assert.deepEqual(fs.readdirSync(path.join(bare, 'refs/heads')), [])
})

test('a branch that another person has moved is left alone, also where it was moved back', async t => {
  const { checkout, remote, bare, run, commit, first, hand, readTip } = await prepare(t)
  await run('remote', 'add', 'origin', remote)
  const transport = await readTransport(checkout, 'origin')
  const second = await commit('second')
  const third = await commit('third')
  await hand(third)
  assert.deepEqual(await pushCommit(bare, transport, { commit: third, branch: 'main', expected: second }), {
    kind: 'moved',
    reason: '[rejected] (stale info)',
  })
  assert.equal(await readTip(), first, 'the remote was at the first commit, not at the second')
  await run('checkout', '--quiet', '--detach', first)
  const other = await commit('other')
  await run('push', '--quiet', remote, `${other}:refs/heads/main`)
  assert.deepEqual(await pushCommit(bare, transport, { commit: third, branch: 'main', expected: first }), {
    kind: 'moved',
    reason: '[rejected] (stale info)',
  })
  assert.equal(await readTip(), other)
  await assert.rejects(pushCommit(bare, transport, { commit: third, branch: 'main', expected: other }))
})

test('what a hook of the remote says is reported, and no hook here runs', async t => {
  const { checkout, remote, bare, run, commit, first, hand } = await prepare(t)
  await run('remote', 'add', 'origin', remote)
  const hook = (folder: string, name: string, text: string) =>
    fs.writeFileSync(path.join(folder, 'hooks', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  for (const folder of [remote, bare, path.join(checkout, '.git')])
    fs.mkdirSync(path.join(folder, 'hooks'), { recursive: true })
  hook(remote, 'pre-receive', 'echo "sign it" >&2; exit 1')
  for (const folder of [bare, path.join(checkout, '.git')]) hook(folder, 'pre-push', `touch ${checkout}/ran; exit 1`)
  const second = await commit('second')
  await hand(second)
  const transport = await readTransport(checkout, 'origin')
  const result = await pushCommit(bare, transport, { commit: second, branch: 'main', expected: first })
  assert.equal(result.kind, 'refused')
  assert.match('reason' in result ? result.reason : '', /pre-receive hook declined[\s\S]*sign it/)
  assert.ok(!fs.existsSync(path.join(checkout, 'ran')))
})

test('whether a push would get through is known without one, and no hook runs', async t => {
  const { checkout, remote, bare, run, first, readTip, folder } = await prepare(t)
  await run('remote', 'add', 'origin', remote)
  fs.mkdirSync(path.join(remote, 'hooks'), { recursive: true })
  fs.writeFileSync(path.join(remote, 'hooks/pre-receive'), `#!/bin/sh\ntouch "${folder}/ran"\n`, { mode: 0o755 })
  await fetchBranch(bare, await readTransport(checkout, 'origin'), 'main', 'refs/landing/target')
  const push = { branch: 'main', tip: first }
  await requirePush(bare, await readTransport(checkout, 'origin'), push)
  assert.ok(!fs.existsSync(path.join(folder, 'ran')))
  await run('config', 'remote.origin.pushurl', path.join(folder, 'nowhere.git'))
  const closed = await readTransport(checkout, 'origin')
  await fetchBranch(bare, closed, 'main', 'refs/landing/target')
  await assert.rejects(requirePush(bare, closed, push), {
    exitCode: 6,
    direction: 'push',
    message: /cannot be pushed to: .*nowhere/,
    remedy: /push --dry-run origin HEAD:refs\/heads\/main/,
  })
  assert.equal(await readTip(), first)
})

test('which remote a branch follows', async t => {
  const { checkout, run, home } = await prepare(t)
  await assert.rejects(findUpstream(checkout, 'main', false), /has no remote/)
  await run('remote', 'add', 'fork', 'https://user:secret@example.invalid/x.git')
  assert.deepEqual(await findUpstream(checkout, 'main', false), { remote: 'fork', branch: 'main' })
  await run('remote', 'add', 'up', '../nowhere.git')
  await assert.rejects(findUpstream(checkout, 'main', false), /several remotes/)
  fs.writeFileSync(path.join(home, '.gitconfig'), '[remote]\n\tpushDefault = up\n')
  assert.deepEqual(await findUpstream(checkout, 'main', false), { remote: 'up', branch: 'main' })
  await run('config', 'branch.main.remote', 'fork')
  assert.deepEqual(await findUpstream(checkout, 'main', false), { remote: 'fork', branch: 'main' })
})

test('a branch for one feature does not land on the branch that it follows', async t => {
  const { checkout, run } = await prepare(t)
  await run('remote', 'add', 'origin', '../nowhere.git')
  await run('config', 'branch.feature.remote', 'origin')
  await run('config', 'branch.feature.merge', 'refs/heads/main')
  await assert.rejects(findUpstream(checkout, 'feature', false), { exitCode: 2 })
  assert.deepEqual(await findUpstream(checkout, 'feature', true), { remote: 'origin', branch: 'feature' })
  await run('config', 'branch.pr.remote', 'https://ada:pw@example.invalid/x')
  await assert.rejects(findUpstream(checkout, 'pr', true), (error: Error) => !error.message.includes('ada:pw'))
})

test('an address is told without its name and password, and several addresses are refused', async t => {
  const { checkout, run } = await prepare(t)
  for (const [address, shown] of [
    ['https://ada:p@ss@host.invalid/x.git', 'https://host.invalid/x.git'],
    ['git+ssh://ada:pw@host.invalid/x', 'git+ssh://host.invalid/x'],
    ['https://ada:tok/en@host.invalid/x.git', 'https://host.invalid/x.git'],
    ['https://host.invalid/@scope/x.git', 'https://host.invalid/@scope/x.git'],
  ] as const) {
    await run('config', 'remote.origin.url', address)
    assert.equal(await describeRemote(await readTransport(checkout, 'origin')), shown)
  }
  await run('config', '--add', 'remote.origin.pushurl', '../a.git')
  await run('config', '--add', 'remote.origin.pushurl', '../b.git')
  await assert.rejects(describeRemote(await readTransport(checkout, 'origin')), { exitCode: 2 })
})

test('a remote that is gone, and a branch that is not there, are errors with their names', async t => {
  const { checkout, remote, bare, run } = await prepare(t)
  await run('remote', 'add', 'origin', remote)
  await run('remote', 'add', 'gone', path.join(remote, '../gone.git'))
  const missing = fetchBranch(bare, await readTransport(checkout, 'origin'), 'nowhere', 'refs/landing/target')
  await assert.rejects(missing, { exitCode: 4 })
  const gone = fetchBranch(bare, await readTransport(checkout, 'gone'), 'main', 'refs/landing/target')
  await assert.rejects(gone, { exitCode: 6 })
})

test('over HTTP, with a password from a credential helper and none in a message', async t => {
  const { checkout, remote, bare, run, commit, first, hand, readTip, folder } = await prepare(t)
  await git(['--git-dir', remote, 'config', 'http.receivepack', 'true'])
  const address = `${await startHttpServer(t, folder)}/remote.git`
  await run('remote', 'add', 'origin', address)
  const second = await commit('second')
  await hand(second)
  const unknown = readTransport(checkout, 'origin').then(each => fetchBranch(bare, each, 'main', 'refs/landing/target'))
  await assert.rejects(unknown, { exitCode: 6 })
  const asked = path.join(folder, 'asked')
  const tell = `echo "$GCM_INTERACTIVE $(git config credential.interactive)" >> '${asked}'`
  await run('config', 'credential.interactive', 'always')
  await run('config', 'credential.helper', `!f() { ${tell}; }; f`)
  const silent = readTransport(checkout, 'origin').then(each => fetchBranch(bare, each, 'main', 'refs/landing/target'))
  await assert.rejects(silent, { exitCode: 6 })
  assert.equal(fs.readFileSync(asked, 'utf8').split('\n')[0], '0 false', 'a helper opens no window')
  await run('config', 'credential.helper', '!f() { test "$1" = get && printf "username=ada\\npassword=pw\\n"; }; f')
  const transport = await readTransport(checkout, 'origin')
  await fetchBranch(bare, transport, 'main', 'refs/landing/target')
  assert.deepEqual(await pushCommit(bare, transport, { commit: second, branch: 'main', expected: first }), {
    kind: 'pushed',
  })
  assert.equal(await readTip(), second)
  await run('remote', 'set-url', 'origin', address.replace('//', '//ada:pw@'))
  assert.equal(await describeRemote(await readTransport(checkout, 'origin')), address)
})

test('over SSH, by the command that the checkout names', { skip: whyNoProgram('sshd', 'openssh-server') }, async t => {
  const { checkout, remote, bare, run, commit, first, hand, readTip, folder } = await prepare(t)
  const { command, port } = await startSshServer(t, path.join(folder, 'ssh'))
  await run('config', 'core.sshCommand', command)
  await run('remote', 'add', 'origin', `ssh://127.0.0.1:${port}${encodeURI(remote)}`)
  const second = await commit('second')
  await hand(second)
  const transport = await readTransport(checkout, 'origin')
  await fetchBranch(bare, transport, 'main', 'refs/landing/target')
  const request = { commit: second, branch: 'main', expected: first }
  assert.deepEqual(await pushCommit(bare, transport, request), { kind: 'pushed' })
  assert.equal(await readTip(), second)
  await run('config', 'core.sshCommand', command.replace('/key', '/nowhere'))
  const refused = fetchBranch(bare, await readTransport(checkout, 'origin'), 'main', 'refs/landing/target')
  await assert.rejects(refused, { exitCode: 6 })
})
