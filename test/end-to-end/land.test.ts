/** One session that has its PASS, brought onto several branches of a remote. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { describeAttempt } from '#cli/input/earlier-attempt.ts'
import { readDefaultConfig } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { auditSession } from '#session/audit'
import { type LandingMachine, prepareLandingMachine } from '../fixtures/landing-remote.ts'
import { writeOldGit } from '../fixtures/old-git.ts'
import { helloScenario, openRig, type Rig } from '../fixtures/rig.ts'

describe('the work of a session lands', () => {
  let rig: Rig
  let machine: LandingMachine
  let [folder, remote, original] = ['', '', '']

  const git: LandingMachine['git'] = (cwd, ...args) => machine.git(cwd, ...args)
  const readRemote: LandingMachine['readRemote'] = (branch, format) => machine.readRemote(branch, format)
  const countVerdicts = () => rig.models.requests.filter(({ role }) => role === 'judge').length

  /** A branch of the remote, at the commit from which the session started or with a commit of another person. */
  async function prepare(letters: string, files: Record<string, string> = {}): Promise<string> {
    await machine.pushFiles(letters, files)
    return letters
  }

  const land = (letters: string, ...options: string[]): Promise<RunResult> =>
    rig.dispatch(['land', original, '--into', letters, '--json', ...options])

  const read = (ran: RunResult) => {
    assert.notEqual(ran.stdout, '', ran.stderr)
    return JSON.parse(ran.stdout) as Record<'state' | 'commit' | 'tree' | 'reason' | 'id', string>
  }

  const audit = async () => {
    const { problems, isSound } = await auditSession(rig.readSession().paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
  }

  before(async () => {
    rig = await openRig(helloScenario)
    machine = await prepareLandingMachine(rig, 'start')
    folder = machine.folder
    remote = machine.remote
    original = machine.original.id
  })
  after(() => rig.close())

  it('as one commit of the user, on the tree that was judged', async () => {
    const branch = await prepare('aaaa')
    const before = await git(folder, 'status', '--porcelain=v2', '--branch')
    const verdicts = countVerdicts()
    const ran = await land(branch)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const { state, commit, tree } = read(ran)
    const session = rig.readSession()
    const { verdict, base } = rig.readStatus()
    assert.equal(state, 'landed')
    assert.equal(tree, verdict?.tree)
    assert.equal(await readRemote(branch), commit)
    assert.equal(await readRemote(branch, '%an <%ae> %cn %P'), `Ada <ada@example.org> Ada ${base?.commit}`)
    const message = await readRemote(branch, '%B')
    assert.match(
      message,
      new RegExp(`\nDispatch-Session: ${session.id}\nDispatch-Verdict: PASS, .*\nDispatch-Tree: ${tree}$`),
    )
    assert.equal(countVerdicts(), verdicts, 'the tree is the judged one, so the judge is not asked again')
    assert.equal(await git(folder, 'status', '--porcelain=v2', '--branch'), before)
    await audit()
    const matrix = JSON.parse((await rig.dispatch(['matrix', original, '--json'])).stdout)
    assert.deepEqual([matrix.landed[0].branch, matrix.landed[0].commit], [branch, commit])

    const again = await land(branch)
    assert.equal(again.exitCode, 0, again.stderr)
    assert.equal(read(again).commit, commit)
    assert.equal(await readRemote(branch), commit)
  })

  it('on a branch that has moved, after all of it was proved again', async () => {
    const gates = JSON.stringify({ gates: ['test "$(cat hello.sh readme)" != ""', 'test -e other'] })
    const branch = await prepare('bbbb', { other: 'x\n', '.dispatch.json': gates })
    await rig.dispatch(['prepare'])
    const tip = await readRemote(branch)
    const verdicts = countVerdicts()
    const dry = await land(branch, '--dry-run')
    assert.equal(dry.exitCode, 5, dry.stdout + dry.stderr)
    assert.match(read(dry).reason, /not confirmed the gates/)
    fs.writeFileSync(path.join(folder, '.dispatch.json'), gates)
    assert.equal((await rig.dispatch(['prepare', '--yes'], { cwd: folder })).exitCode, 0)
    const tried = await land(branch, '--dry-run', '--author', 'both')
    assert.equal(tried.exitCode, 0, tried.stdout + tried.stderr)
    assert.equal(read(tried).state, 'ready')
    assert.equal(await readRemote(branch), tip)
    const { landing } = rig.readStatus()
    assert.deepEqual([landing?.branch, landing?.state], ['aaaa', 'landed'], 'a dry run changes nothing of where it is')
    assert.equal(countVerdicts(), verdicts + 1)
    const ran = await land(branch, '--method', 'rebase', '--author', 'both')
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.equal(await readRemote(branch, '%P %an'), `${tip} Ada`)
    assert.match(await readRemote(branch, '%B'), /\nCo-authored-by: .*@/)
    assert.deepEqual((await git(remote, 'ls-tree', '--name-only', branch)).split('\n'), [
      '.dispatch.json',
      'hello.sh',
      'other',
      'readme',
    ])
    fs.rmSync(path.join(folder, '.dispatch.json'))
    await audit()
  })

  it('signed as the user’s git signs, where the remote takes nothing unsigned', async t => {
    const keygen = (...args: string[]) => runProgram('ssh-keygen', ['-q', '-t', 'ed25519', ...args])
    const key = path.join(rig.home, 'elsewhere/key')
    if ((await keygen('-N', '', '-f', key)).startError) return t.skip('ssh-keygen is not installed')
    const signers = path.join(rig.home, 'elsewhere/signers')
    fs.writeFileSync(signers, `ada@example.org ${fs.readFileSync(`${key}.pub`, 'utf8')}`)
    const branch = await prepare('signed')
    const hook = path.join(remote, 'hooks/pre-receive')
    const verify = `git -c gpg.ssh.allowedSignersFile=${signers} verify-commit "$commit" 2>/dev/null`
    fs.writeFileSync(
      hook,
      `#!/bin/sh\nwhile read -r _ new _; do for commit in $(git rev-list "$new" --not --all); do ${verify} || { echo "unsigned: $commit"; exit 1; }; done; done\n`,
      { mode: 0o755 },
    )
    const tip = await readRemote(branch)
    const unsigned = await land(branch)
    assert.notEqual(unsigned.exitCode, 0)
    assert.match(unsigned.stdout + unsigned.stderr, /unsigned: [0-9a-f]{40}/)
    for (const [name, value] of [
      ['gpg.format', 'ssh'],
      ['user.signingKey', key],
      ['commit.gpgSign', 'true'],
    ] as const)
      await git(folder, 'config', name, value)
    const locked = path.join(rig.home, 'elsewhere/locked')
    assert.equal((await keygen('-N', 'a passphrase', '-f', locked)).exitCode, 0)
    const asking = await rig.dispatch(['land', original, '--into', branch, '--json'], {
      env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.signingKey', GIT_CONFIG_VALUE_0: locked },
    })
    assert.equal(asking.exitCode, 6, asking.stdout + asking.stderr)
    const refused = JSON.parse(asking.stdout)
    assert.match(refused.reason, /could not sign the commit/)
    assert.match(refused.next, /no terminal at which you could be asked/)
    assert.equal(await readRemote(branch), tip)
    const signed = await land(branch)
    assert.equal(signed.exitCode, 0, signed.stdout + signed.stderr)
    assert.equal(await readRemote(branch), read(signed).commit)
    fs.rmSync(hook)
    await git(folder, 'config', 'commit.gpgSign', 'false')
    await audit()
  })

  it('not where a gate of the branch is red', async () => {
    const gates = JSON.stringify({ gates: ['true', 'test ! -e hello.sh'] })
    const branch = await prepare('cccc', { '.dispatch.json': gates })
    fs.writeFileSync(path.join(folder, '.dispatch.json'), gates)
    await rig.dispatch(['prepare', '--yes'], { cwd: folder })
    const tip = await readRemote(branch)
    const ran = await land(branch)
    assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
    assert.match(read(ran).reason, /gate `test ! -e hello\.sh` is red/)
    assert.equal(await readRemote(branch), tip)
    fs.rmSync(path.join(folder, '.dispatch.json'))
    await audit()
    const earlier = describeAttempt(readDefaultConfig(rig.environment), original, '')
    assert.match(earlier.outcome, /^PASS: .* Its work did not land on branch cccc: gate `test ! -e hello\.sh` is red/)
    assert.match(earlier.findings[0] ?? '', /gate `test ! -e hello\.sh` is red/)
  })

  it('not over what another person wrote in the same place', async () => {
    const branch = await prepare('dddd', { 'hello.sh': 'echo other\n' })
    const tip = await readRemote(branch)
    const ran = await land(branch)
    assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr)
    const { state, reason } = read(ran)
    assert.equal(state, 'conflict')
    assert.match(reason, /hello\.sh/)
    assert.equal(await readRemote(branch), tip)
    await audit()
  })

  it('not where the remote refuses it, in its own words', async () => {
    const branch = await prepare('eeee')
    const hook = path.join(remote, 'hooks/pre-receive')
    fs.mkdirSync(path.dirname(hook), { recursive: true })
    fs.writeFileSync(hook, '#!/bin/sh\necho "commits must be blue" >&2\nexit 1\n', { mode: 0o755 })
    const tip = await readRemote(branch)
    const refused = await land(branch)
    fs.rmSync(hook)
    assert.equal(refused.exitCode, 5, refused.stdout + refused.stderr)
    assert.equal(read(refused).state, 'refused')
    assert.match(read(refused).reason, /commits must be blue/)
    assert.equal(await readRemote(branch), tip)
    const ran = await land(branch)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    await audit()
  })

  it('once, also if the process is killed between the push and its record', async () => {
    const branch = await prepare('hhhh')
    const hook = path.join(remote, 'hooks/post-receive')
    // The hook is a descendant of the process that pushes.
    const script = [
      'p=$PPID',
      'while [ "$p" -gt 1 ] && ! tr "\\0" " " < "/proc/$p/cmdline" | grep -q " land "; do',
      '  p=$(sed "s/.*) . //; s/ .*//" "/proc/$p/stat")',
      'done',
      'kill -9 "$p"',
    ]
    fs.writeFileSync(hook, `#!/bin/sh\n${script.join('\n')}\n`, { mode: 0o755 })
    const killed = await land(branch)
    fs.rmSync(hook)
    assert.equal(killed.signal ?? killed.exitCode, 'SIGKILL', killed.stdout + killed.stderr)
    const landed = await readRemote(branch)
    assert.equal(rig.readStatus().landing?.state, 'ready')
    // Another person goes on beside it, before anybody here knows that it has landed.
    await machine.pushFiles(branch, { 'hello.sh': 'echo hello, and more\n' })
    const tip = await readRemote(branch)
    const ran = await land(branch)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.equal(read(ran).commit, landed)
    assert.equal(await readRemote(branch), tip)
    await audit()
  })

  it('is known on every branch, and told when the branch has undone it', async () => {
    const again = await land('aaaa')
    assert.equal(again.exitCode, 0, again.stdout + again.stderr)
    const matrix = JSON.parse((await rig.dispatch(['matrix', original, '--json'])).stdout)
    assert.ok(matrix.landed.length >= 3)
    const clone = path.join(rig.home, 'elsewhere/reverting')
    await git(rig.home, 'clone', '--quiet', '--branch', 'aaaa', remote, clone)
    await git(clone, 'revert', '--no-edit', 'HEAD')
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:aaaa')
    const reverted = await land('aaaa')
    assert.equal(reverted.exitCode, 5, reverted.stdout + reverted.stderr)
    assert.match(read(reverted).reason, /landed on aaaa before/)
  })

  it('not where a filter of the branch is meant for its files', async () => {
    const branch = await prepare('iiii', { '.gitattributes': '*.sh filter=lfs\n' })
    const ran = await land(branch)
    assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr)
    assert.match(read(ran).reason, /a filter such as Git LFS is meant for files of the work/)
  })

  it('not with a git that is enough for sessions only, which is said before anything changes', async () => {
    const branch = await prepare('kkkk')
    const env = { PATH: `${writeOldGit(rig.home, '2.34.1')}:${rig.environment['PATH']}` }
    const events = rig.readEvents().length
    for (const options of [[], ['--queue'], ['--dry-run']]) {
      const ran = await rig.dispatch(['land', original, '--into', branch, '--json', ...options], { env })
      assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr)
      assert.match(read(ran).reason, /git 2\.34\.1 is too old to land, 2\.38 is needed/)
    }
    const project = await rig.dispatch(['projects', 'add', folder, '--land', 'squash'], { env })
    assert.equal(project.exitCode, 6, project.stdout + project.stderr)
    assert.equal(rig.readEvents().length, events)
  })

  it('not from a checkout that agents write, and not while a lock of a killed git lies there for good', async () => {
    const { paths } = rig.readSession()
    const inside = await land('start', '--repo', paths.outputs)
    assert.equal(inside.exitCode, 2, inside.stdout + inside.stderr)
    const branch = await prepare('jjjj')
    fs.writeFileSync(path.join(paths.bareRepository, 'refs/landing/target.lock'), '')
    const ran = await land(branch)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  })

  it('by a merge that keeps the judged commit', async () => {
    const branch = await prepare('ffff', { other: 'y\n' })
    const tip = await readRemote(branch)
    const ran = await land(branch, '--method', 'merge')
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.equal(await readRemote(branch, '%P'), `${tip} ${rig.readStatus().verdict?.commit}`)
  })

  it('on the same branch after a new attempt, whatever the checkout is at then', async () => {
    const branch = await git(folder, 'branch', '--show-current')
    await git(folder, 'switch', '--quiet', '--create', 'feature')
    const start = async (...options: string[]) => {
      const ran = await rig.dispatch(['retry', original, '--no-wait', '--json', ...options])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      const { manifest } = rig.readSession(JSON.parse(ran.stdout).id)
      assert.equal((await rig.dispatch(['stop', manifest.id])).exitCode, 0)
      return manifest.repository
    }
    assert.equal((await start())?.branch, branch)
    await prepare('llll', { 'hello.sh': 'echo other\n' })
    assert.equal((await land('llll')).exitCode, 5)
    const dry = await land(await prepare('mmmm'), '--dry-run')
    assert.equal(read(dry).state, 'ready', dry.stdout + dry.stderr)
    const newest = await start('--newest')
    assert.deepEqual([newest?.commit, newest?.branch], [await readRemote('llll'), 'llll'])
    await git(folder, 'switch', '--quiet', branch)
  })

  it('no session without a PASS, no branch that is not there, and nothing that an agent asks for', async () => {
    for (const name of ['a b', 'x/*', '-d']) {
      const invalid = await rig.dispatch(['land', original, `--into=${name}`, '--queue', '--json'])
      assert.equal(invalid.exitCode, 2, invalid.stdout + invalid.stderr)
    }
    const unknown = await land('nowhere')
    assert.equal(unknown.exitCode, 4, unknown.stdout + unknown.stderr)
    const agent = await rig.dispatch(['land', original], {
      env: { DISPATCH_ROLE: 'worker', DISPATCH_SESSION: original },
    })
    assert.notEqual(agent.exitCode, 0)
  })
})
