import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { archiveTag, findRemote, listOwnWork, readRemoteRefs } from '#host/git/remote'
import { readArchivedCommit, unpackTar } from '#host/tar.ts'
import { commitFolder } from '../../../fixtures/rig.ts'
import { createScratchFolder } from '../../../fixtures/scratch.ts'

/** A clone of a bare repository that has the tags `v1` and, annotated, `v2`, which the clone does not have. */
async function makeClone(t: TestContext) {
  const around = fs.realpathSync(createScratchFolder(t))
  const [source, remote, clone] = ['source', 'remote.git', 'clone'].map(name => path.join(around, name)) as [
    string,
    string,
    string,
  ]
  const runGit = async (cwd: string, ...args: string[]) => {
    const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...args], { cwd })
    assert.equal(ran.exitCode, 0, `git ${args.join(' ')}: ${ran.stderr}`)
    return ran.stdout.trim()
  }
  fs.mkdirSync(source)
  fs.writeFileSync(path.join(source, 'a'), 'one')
  await commitFolder(source)
  await runGit(source, 'tag', 'v1')
  await runGit(around, 'clone', '-q', '--bare', source, remote)
  await runGit(around, 'clone', '-q', remote, clone)
  fs.writeFileSync(path.join(source, 'a'), 'two')
  await runGit(source, 'commit', '-q', '-a', '-m', 'two')
  await runGit(source, 'tag', '-a', '-m', 'two', 'v2')
  await runGit(source, 'push', '-q', remote, 'v2')
  return {
    around,
    clone,
    newest: await runGit(source, 'rev-parse', 'HEAD'),
    git: (...args: string[]) => runGit(clone, ...args),
  }
}

test('the tags of a remote are read, and one is brought without a change of the clone', async t => {
  const { around, clone, newest, git } = await makeClone(t)
  const before = await git('for-each-ref')
  const repository = (await findRemote(clone)) ?? assert.fail()
  assert.equal(repository.remote, 'origin')
  const { tags } = await readRemoteRefs(repository)
  assert.deepEqual([...tags.keys()], ['v1', 'v2'])
  assert.equal(tags.get('v2'), newest, 'the commit, not the tag')
  const file = path.join(around, 'code.tar')
  await archiveTag(repository, { tag: 'v2', commit: newest }, file)
  unpackTar(file, path.join(around, 'code'))
  assert.equal(fs.readFileSync(path.join(around, 'code/a'), 'utf8'), 'two')
  assert.equal(readArchivedCommit(file), newest)
  assert.equal(await git('for-each-ref'), before)
  assert.equal(fs.existsSync(path.join(clone, '.git/FETCH_HEAD')), false)
})

test('the remote is that of the upstream of the branch, and a folder below a checkout has no remote', async t => {
  const { clone, git } = await makeClone(t)
  await git('remote', 'rename', 'origin', 'vendor')
  assert.equal((await findRemote(clone))?.remote, 'vendor')
  await git('checkout', '-q', '--detach')
  await assert.rejects(findRemote(clone), { exitCode: 5 })
  fs.mkdirSync(path.join(clone, 'below'))
  assert.equal(await findRemote(path.join(clone, 'below')), undefined)
})

test('changes and commits that no remote has are named, and untracked files are not', async t => {
  const { clone, git } = await makeClone(t)
  fs.writeFileSync(path.join(clone, 'mine'), '')
  assert.deepEqual(await listOwnWork(clone, []), [])
  fs.writeFileSync(path.join(clone, 'a'), 'changed')
  assert.deepEqual(await listOwnWork(clone, []), ['a'])
  await git('commit', '-q', '-a', '-m', 'my work')
  const commit = await git('rev-parse', 'HEAD')
  assert.deepEqual(await listOwnWork(clone, ['0'.repeat(40)]), [`commit ${commit.slice(0, 7)} my work`])
  assert.deepEqual(await listOwnWork(clone, [commit]), [], 'the remote has it below another name')
})

test('a remote that is not there is exit 8, and one that never answers ends with the update', async t => {
  const { clone, git } = await makeClone(t)
  const repository = (await findRemote(clone)) ?? assert.fail()
  await git('remote', 'set-url', 'origin', path.join(clone, 'nowhere'))
  await assert.rejects(readRemoteRefs(repository), { exitCode: 8 })
  const server = net.createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  const end = new AbortController()
  server.on('connection', socket => {
    t.after(() => socket.destroy())
    end.abort()
  })
  await new Promise(resolve => server.once('listening', resolve))
  await git('remote', 'set-url', 'origin', `git://127.0.0.1:${(server.address() as net.AddressInfo).port}/x`)
  await assert.rejects(readRemoteRefs(repository, end.signal), { exitCode: 8 })
})
