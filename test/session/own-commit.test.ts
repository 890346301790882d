import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { findProgram, runProgram } from '#host/exec.ts'
import { findCommitHooks } from '#host/git/user'
import { applyWork, findApplied, findTargetRepository, findWorkToApply, styleWork } from '#session'
import { importWork, prepareRepository } from '#session/repository'
import { initialStatus } from '#session/status'
import { createTestSession } from '../fixtures/new-session.ts'
import { createScratchFolder, waitUntil, withEnoughTime } from '../fixtures/scratch.ts'

const squashed = { style: 'squashed' as const, isAtTerminal: false, hooks: undefined, secrets: [] }
const needsSshKeygen = {
  skip: findProgram('ssh-keygen') === '' && 'ssh-keygen is not installed: apt-get install openssh-client',
}
const needsGpg = { skip: findProgram('gpg') === '' && 'gpg is not installed: apt-get install gnupg' }
const identity = '[user]\nname = Me Ö\nemail = me@h\n'

test("work in the user's name", async t => {
  const { git, session, work, checkout, status, repository, configure } = await createApplication(t)
  const folder = path.dirname(repository)
  const unchanged = await describe(git)
  const apply = (branch: string, options: Partial<Parameters<typeof styleWork>[4]> = {}) =>
    applyWork(session, work, checkout, branch, () =>
      styleWork(session, status, work, repository, { ...squashed, ...options }),
    )

  await t.test('is one commit with the judged tree, signed with an SSH key', needsSshKeygen, async () => {
    const key = path.join(folder, 'key')
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    fs.writeFileSync(`${key}.allowed`, `me@h ${fs.readFileSync(`${key}.pub`, 'utf8')}`)
    // What applies to some repositories only counts as well.
    fs.writeFileSync(`${key}.config`, `[commit]\ngpgSign = true\n[user]\nsigningKey = "${key}.pub"\n`)
    const include = `[includeIf "gitdir:${repository}/"]\npath = "${key}.config"\n`
    configure(`${include}[gpg]\nformat = ssh\n[gpg "ssh"]\nallowedSignersFile = "${key}.allowed"\n`)
    const commit = await apply('ssh')
    const format = '%an <%ae>, %cn <%ce>, %G?, %T, %P'
    const people = 'Me Ö <me@h>, Me Ö <me@h>, G'
    assert.equal(await git('log', '-1', `--format=${format}`, 'ssh'), `${people}, ${work.tree}, ${work.base}`)
    const find = (style: 'squashed' | 'as it is') => findApplied(session, work, checkout, 'ssh', style)
    assert.equal(await find('squashed'), commit)
    await assert.rejects(find('as it is'), { exitCode: exitCodes.conflict })
    await git('branch', '-D', 'ssh')
  })

  await t.test('is signed with an OpenPGP key', needsGpg, async gpgTest => {
    const home = fs.mkdtempSync('/tmp/gpg-') // The socket of its agent needs a short path.
    fs.chmodSync(home, 0o700)
    process.env['GNUPGHOME'] = home
    gpgTest.after(async () => {
      await run('gpgconf', ['--kill', 'all'])
      delete process.env['GNUPGHOME']
      fs.rmSync(home, { recursive: true, force: true })
    })
    await run('gpg', ['--batch', '--passphrase', '', '--quick-gen-key', 'Me Ö <me@h>', 'ed25519', 'sign'])
    configure('[commit]\ngpgSign = true\n')
    await apply('gpg')
    assert.equal(await git('log', '-1', '--format=%G?', 'gpg'), 'G')
    await git('branch', '-D', 'gpg')
  })

  await t.test('is not made when it cannot be signed, or not in time', async () => {
    const program = path.join(folder, 'sign')
    const pidFile = path.join(folder, 'pid')
    configure(`[commit]\ngpgSign = true\n[gpg]\nprogram = "${program}"\n`)
    const fail = async (script: string, timeoutMs = 60_000) => {
      fs.writeFileSync(program, `#!/bin/sh\ncat >/dev/null\n${script}\n`, { mode: 0o755 })
      await assert.rejects(apply('failed', { timeoutMs }), { exitCode: exitCodes.dependency })
    }
    await fail('exit 1')
    await fail('echo "[GNUPG:] SIG_CREATED " >&2')
    await withEnoughTime(async limitMs => {
      await fail(`echo $$ >'${pidFile}'; exec sleep 1000`, limitMs)
      return fs.existsSync(pidFile)
    })
    const pid = fs.readFileSync(pidFile, 'utf8').trim()
    const readState = async () => (await runProgram('ps', ['-o', 'stat=', '-p', pid])).stdout
    await waitUntil(async () => /^Z|^$/.test(await readState()), 'the signing program is gone')
    assert.deepEqual(await describe(git), unchanged)
  })

  await t.test('is not made without an identity', async () => {
    configure('', '[user]\nname = Me\n')
    await assert.rejects(apply('failed'), { exitCode: exitCodes.usage })
    assert.deepEqual(await describe(git), unchanged)
  })

  await t.test("can be the workers' commits, with their messages and dates", async () => {
    configure()
    const commit = await apply('taken', { style: 'in your name' })
    const list = (name: string, format: string) => git('log', `--format=${format}`, `${work.base}..${name}`)
    assert.equal(await list('taken', '%an%cn'), 'Me ÖMe Ö\nMe ÖMe Ö')
    assert.equal(await list('taken', '%B%T%ad'), await list(work.commit, '%B%T%ad'))
    assert.equal(await git('rev-parse', 'taken~2'), work.base)
    assert.equal(await findApplied(session, work, checkout, 'taken', 'in your name'), commit)
    await git('branch', '-D', 'taken')
    await apply('taken', { style: 'in your name', secrets: ['b.txt\n\nbody'] })
    assert.match(await list('taken', '%B'), /c\.txt\n\nbody\n+\[secret withheld: known value\]/)
    await git('branch', '-D', 'taken')
  })

  await t.test('goes through hooks that see its files and may change its message', async () => {
    configure()
    const hooks = await writeHooks(repository, {
      'pre-commit': '[ "$(git diff --cached --name-only | tr "\\n" " ")" = "b.txt c.txt " ] && cat c.txt',
      'commit-msg': 'echo "Change-Id: 1" >>"$1"',
      'post-commit': `git log -1 --format=%H >'${folder}/posted'; exit 1`,
    })
    assert.equal(hooks?.isInWorkTree, false)
    const commit = await apply('hooks', { hooks })
    assert.match(await git('log', '-1', '--format=%B', 'hooks'), /\nChange-Id: 1$/)
    assert.equal(fs.readFileSync(`${folder}/posted`, 'utf8').trim(), commit)
    await git('branch', '-D', 'hooks')
    assert.deepEqual(await describe(git), unchanged)
  })

  await t.test('is not made when a hook refuses it or changes a file', async () => {
    configure()
    for (const script of ['echo no; exit 1', 'echo x >c.txt; git add c.txt']) {
      const hooks = await writeHooks(repository, { 'pre-commit': script })
      await assert.rejects(apply('failed', { hooks }), { exitCode: exitCodes.conflict })
    }
    assert.deepEqual(await describe(git), unchanged)
  })

  await t.test('is not asked about hooks without any, and is told when they are files of the work tree', async () => {
    configure('[core]\nhooksPath = .husky/_\n')
    assert.equal(await findCommitHooks(repository), undefined)
    fs.mkdirSync(path.join(repository, '.husky/_'), { recursive: true })
    fs.writeFileSync(path.join(repository, '.husky/_/commit-msg'), '#!/bin/sh\n', { mode: 0o755 })
    const hooks = await findCommitHooks(repository)
    assert.deepEqual([hooks?.names, hooks?.isInWorkTree], [['commit-msg'], true])
  })
})

test('work that began empty becomes a first commit', async t => {
  const { git, session, work, checkout, status, repository } = await createApplication(t, { isEmpty: true })
  const hooks = await writeHooks(repository, { 'commit-msg': 'echo more >>"$1"' })
  const squash = () => styleWork(session, status, work, repository, { ...squashed, hooks })
  await applyWork(session, work, checkout, 'mine', squash)
  assert.equal(await git('log', '--format=%an %T', 'mine'), `Me Ö ${work.tree}`)
  assert.match(await git('log', '-1', '--format=%B', 'mine'), /Session: .*\nmore$/)
  assert.equal(await git('for-each-ref', '--format=%(refname)'), 'refs/heads/main\nrefs/heads/mine')
})

// --- internal ---

/** A session of two commits, a repository to apply it to, and a git configuration of the user. */
async function createApplication(t: TestContext, { isEmpty = false } = {}) {
  const folder = fs.realpathSync(createScratchFolder(t))
  const configure = useGlobalConfig(t, path.join(folder, 'gitconfig'))
  const repository = path.join(folder, 'repository')
  const git = (...args: string[]) => run('git', args, repository)
  fs.mkdirSync(repository)
  await git('init', '-q', '-b', 'main')
  const commit = await commitFile(repository, 'a.txt')
  const origin = isEmpty ? null : { path: repository, commit, uncommittedFiles: 0 }
  const session = createTestSession(t, { repository: origin })
  const base = await prepareRepository(session.paths, 'work', origin?.path)
  await commitFile(session.paths.outputs, 'b.txt')
  const acceptedCommit = await commitFile(session.paths.outputs, 'c.txt')
  await importWork(session.paths)
  const status = { ...initialStatus, base, acceptedCommit }
  const work = await findWorkToApply(session, status)
  const checkout = await findTargetRepository(session, repository, [])
  return { git, session, work, checkout, status, repository, configure }
}

/** Everything that a failed attempt must leave as it was. */
async function describe(git: (...args: string[]) => Promise<string>) {
  const questions = [['for-each-ref'], ['status', '--porcelain'], ['worktree', 'list'], ['reflog']]
  return Promise.all(questions.map(args => git(...args)))
}

async function writeHooks(repository: string, hooks: Record<string, string>) {
  fs.rmSync(path.join(repository, '.git/hooks'), { recursive: true, force: true })
  fs.mkdirSync(path.join(repository, '.git/hooks'))
  for (const [name, script] of Object.entries(hooks))
    fs.writeFileSync(path.join(repository, '.git/hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return findCommitHooks(repository)
}

/** Returns a function that writes the user's configuration. */
function useGlobalConfig(t: TestContext, file: string): (settings?: string, user?: string) => void {
  const before = process.env['GIT_CONFIG_GLOBAL']
  process.env['GIT_CONFIG_GLOBAL'] = file
  t.after(() => {
    process.env['GIT_CONFIG_GLOBAL'] = before
  })
  const write = (settings = '', user = identity) => fs.writeFileSync(file, user + settings)
  write()
  return write
}

async function commitFile(folder: string, name: string): Promise<string> {
  fs.writeFileSync(path.join(folder, name), name)
  await run('git', ['add', name], folder)
  const date = `--date=2026-11-20T1${name.charCodeAt(0) % 10}:00:00+0100`
  const worker = ['-c', 'user.name=worker', '-c', 'user.email=w@h']
  await run('git', [...worker, 'commit', '-q', date, '-m', `${name}\n\nbody`], folder)
  return run('git', ['rev-parse', 'HEAD'], folder)
}

async function run(program: string, args: string[], cwd?: string): Promise<string> {
  const ran = await runProgram(program, args, cwd === undefined ? {} : { cwd })
  assert.equal(ran.exitCode, 0, `${program} ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}
