/** `apply` and `rm`: one real session, and copies of it with another log or other files. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { fingerprintFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { runInScript } from '../fixtures/run-at-terminal.ts'
import { copySession, rewriteLog } from '../fixtures/session-copies.ts'

test('apply creates a branch in the repository the session started from', async t => {
  await withRig(helloScenario, async rig => {
    const folder = await createRepository(rig, 'project')
    const ran = await rig.dispatch([helloTask, '--wait', '--repo', folder])
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const { id } = rig.readSession()
    const { verdict } = rig.readStatus()
    const branch = `dispatch/${id}`
    assert.ok(verdict)

    await t.test('nothing of the checkout or of .git changes besides objects and the branch', async () => {
      for (const hook of ['post-checkout', 'reference-transaction', 'post-merge', 'post-update', 'pre-auto-gc'])
        fs.writeFileSync(path.join(folder, '.git/hooks', hook), `#!/bin/sh\ntouch ${rig.home}/ran\n`, { mode: 0o755 })
      await git(folder, 'config', 'core.fsmonitor', `touch ${rig.home}/ran`)
      await git(folder, 'config', 'core.logAllRefUpdates', 'always')
      fs.writeFileSync(path.join(folder, 'kept.txt'), 'changed again\n')
      const before = fingerprintFolder(folder)
      const applied = await rig.dispatch(['apply'], { cwd: folder })
      assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr)
      const after = fingerprintFolder(folder)
      const changed = Object.keys({ ...before, ...after }).filter(file => before[file] !== after[file])
      assert.deepEqual(
        changed.filter(file => !file.startsWith('.git/objects/')),
        [`.git/refs/heads/${branch}`],
      )
      assert.ok(!fs.existsSync(path.join(rig.home, 'ran')), 'a hook of the repository ran')
      assert.equal(await git(folder, 'rev-parse', branch, `${branch}^{tree}`), `${verdict.commit}\n${verdict.tree}`)
      assert.match(applied.stdout, /branch +dispatch\/\S+ +is new[\s\S]*PASS[\s\S]*main has no new commits/)
      assert.match(applied.stdout, new RegExp(`git diff main\\.\\.\\.${branch}\n.*git merge ${branch}\n$`))
      await git(folder, 'config', '--unset', 'core.fsmonitor')
      fs.rmSync(path.join(folder, '.git/hooks'), { recursive: true })
    })

    await t.test('applied again, the branch already exists: exit 0', async () => {
      const again = await rig.dispatch(['apply', id.slice(-4), '--json'])
      assert.equal(again.exitCode, 0)
      const result = JSON.parse(again.stdout)
      assert.deepEqual(
        [result.alreadyExists, result.branch, result.repository, result.warning],
        [true, branch, folder, null],
      )
    })

    await t.test('it reports new commits, files changed on both sides, uncommitted files', async () => {
      fs.writeFileSync(path.join(folder, 'hello.sh'), 'echo mine\n')
      await git(folder, 'add', 'hello.sh')
      await git(folder, 'commit', '-qm', 'mine')
      fs.writeFileSync(path.join(folder, 'hello.sh'), 'echo not committed\n')
      const { commitsAhead, changedOnBothSides, uncommittedFiles } = JSON.parse(
        (await rig.dispatch(['apply', '--json'])).stdout,
      )
      assert.deepEqual([commitsAhead, changedOnBothSides, uncommittedFiles], [1, ['hello.sh'], ['hello.sh']])
      const { stdout } = await rig.dispatch(['apply'])
      assert.match(stdout, /main has 1 new commit\n[\s\S]*changed hello\.sh: expect conflicts/)
      assert.match(stdout, new RegExp(`git -C ${folder} merge ${branch}`))
      await git(folder, 'checkout', '-q', 'hello.sh')
    })

    await t.test('a branch name in use, also one without a commit, is exit 5', async () => {
      const taken = await rig.dispatch(['apply', '--branch', 'main'])
      assert.equal(taken.exitCode, 5)
      assert.match(taken.stderr, /branch main already exists.*checked out in \S+\/project[\s\S]*--branch/)
      await git(folder, 'checkout', '-q', '--orphan', 'unborn')
      const unborn = await rig.dispatch(['apply', '--branch', 'unborn'])
      assert.equal(unborn.exitCode, 5)
      assert.match(unborn.stderr, /without a commit, checked out/)
      await git(folder, 'checkout', '-qf', 'main')
      await git(folder, 'branch', 'a')
      const below = await rig.dispatch(['apply', '--branch', 'a/b'])
      assert.equal(below.exitCode, 5)
      assert.equal((await rig.dispatch(['apply', '--branch', 'a..b'])).exitCode, 2)
    })

    await t.test('a repository without a common ancestor: it says how to merge anyway', async () => {
      const other = await createRepository(rig, 'other')
      await git(other, 'commit', '-qm', 'its own', '--allow-empty', '--amend')
      const applied = await rig.dispatch(['apply', '--repo', other])
      assert.equal(applied.exitCode, 0, applied.stderr)
      assert.match(applied.stdout, /started in another repository: \S+ and main have no common ancestor/)
      assert.match(applied.stdout, /merge --allow-unrelated-histories dispatch/)
      assert.equal((await rig.dispatch(['apply', '--repo', rig.home])).exitCode, 4)
    })

    await t.test('a verdict that contradicts the bare repository is exit 13', async () => {
      const copy = copySession(rig, id, 'aaaa', { isClosed: true })
      const record = JSON.parse(fs.readFileSync(copy.verdictRecord, 'utf8'))
      fs.writeFileSync(copy.verdictRecord, JSON.stringify({ ...record, tree: '0'.repeat(40) }))
      const applied = await rig.dispatch(['apply', 'aaaa'])
      assert.equal(applied.exitCode, 13)
      assert.match(applied.stderr, /disagree about commit/)
      assert.equal(await git(folder, 'branch', '--list', 'dispatch/*aaaa'), '')
    })

    await t.test('without a valid PASS it asks, or needs --anyway', async () => {
      const voided = copySession(rig, id, 'bbbb', { isClosed: true })
      fs.appendFileSync(path.join(voided.outputs, 'hello.sh'), '# more\n')
      const refused = await rig.dispatch(['apply', 'bbbb'])
      assert.equal(refused.exitCode, 5)
      assert.match(refused.stderr, /was PASS, but outputs\/ changed since \(hello\.sh\)[\s\S]*--anyway/)
      assert.equal((await rig.dispatch(['apply', 'bbbb', '--json'])).exitCode, 5)
      const mistyped = await runInScript(rig, 'apply bbbb', { answer: 'bbb\r' })
      assert.equal(mistyped.code, 5, mistyped.shown)
      assert.match(mistyped.shown, /Type bbbb to continue[\s\S]*Nothing was applied/)
      assert.equal((await runInScript(rig, 'apply bbbb', { answer: '\u0004' })).code, 5)
      assert.equal(await git(folder, 'branch', '--list', 'dispatch/*bbbb'), '')
      const typed = await runInScript(rig, 'apply bbbb', { answer: 'bbbb\r' })
      assert.equal(typed.code, 0, typed.shown)
      assert.equal(await git(folder, 'rev-parse', `dispatch/${path.basename(voided.folder)}`), verdict.commit)

      rewriteLog(copySession(rig, id, 'cccc', { isClosed: true }), line =>
        line.replace('"verdict":"PASS","reason"', '"verdict":"FAIL","reason"'),
      )
      assert.match((await rig.dispatch(['apply', 'cccc'])).stderr, /The verdict is FAIL: /)
      const anyway = await rig.dispatch(['apply', 'cccc', '--anyway'])
      assert.equal(anyway.exitCode, 0, anyway.stderr)
      assert.match(anyway.stdout, /verdict +The verdict is FAIL/)

      rewriteLog(copySession(rig, id, 'dddd', { isClosed: true }), line =>
        /"type":"(verdict|judging)/.test(line) ? '' : line,
      )
      const unjudged = await rig.dispatch(['apply', 'dddd'])
      assert.match(unjudged.stderr, /There is no verdict/)
      assert.equal((await rig.dispatch(['apply', 'dddd', '--anyway'])).exitCode, 0)
    })

    await t.test('rm refuses an open session, and removes work that is in a branch', async () => {
      const open = await rig.dispatch(['rm', id])
      assert.equal(open.exitCode, 5)
      assert.match(open.stderr, /still open[\s\S]*dispatch stop/)
      await rig.dispatch(['stop', id])
      const both = await rig.dispatch(['rm', id.slice(-4), 'nonesuch'])
      assert.equal(both.exitCode, 4)
      const removed = await rig.dispatch(['rm', id.slice(-4), id])
      assert.equal(removed.stdout, `removed ${id}\n`, removed.stderr)
      assert.ok(!(await rig.dispatch(['ls'])).stdout.includes(id))
    })

    await t.test('rm keeps unsaved work unless confirmed or forced, and finishes earlier removals', async () => {
      copySession(rig, 'cccc', 'eeee', { isClosed: true })
      const workspace = path.dirname(rig.readSession('eeee').paths.folder)
      const uncommitted = await rig.dispatch(['rm', 'bbbb'])
      assert.equal(uncommitted.exitCode, 5)
      assert.match(uncommitted.stderr, /not committed in outputs\/: hello\.sh[\s\S]*--force bbbb/)

      for (const name of (await git(folder, 'branch', '--list', '--format=%(refname:short)', 'dispatch/*')).split('\n'))
        await git(folder, 'branch', '-D', name)
      const kept = await rig.dispatch(['rm', 'cccc', 'eeee'])
      assert.equal(kept.exitCode, 5)
      assert.match(kept.stderr, /\(judged\) is not in any branch of \S+\/project[\s\S]*apply cccc.*--force cccc/)
      await git(folder, 'merge', '-q', '--no-edit', '--allow-unrelated-histories', '-X', 'ours', verdict.commit)
      assert.equal(
        (await rig.dispatch(['rm', 'eeee'])).exitCode,
        0,
        'merged work is saved, also after its branch is deleted',
      )
      await git(folder, 'reset', '-q', '--hard', 'HEAD^')

      assert.equal((await runInScript(rig, 'rm cccc', { answer: 'no\r' })).code, 5)
      fs.mkdirSync(path.join(workspace, '.removed-2026-01-01-half-0000/outputs'), { recursive: true })
      const typed = await runInScript(rig, 'rm cccc', { answer: 'cccc\r' })
      assert.equal(typed.code, 0, typed.shown)
      assert.equal((await rig.dispatch(['rm', '--force', 'bbbb', 'dddd'])).exitCode, 0)
      assert.deepEqual(
        fs.readdirSync(workspace).filter(name => !name.endsWith('aaaa')),
        [],
      )
    })
  })
})

test('work from an empty repository needs a target repository', async () => {
  await withRig(helloScenario, async rig => {
    assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 0)
    const { id } = rig.readSession()
    const withoutTarget = await rig.dispatch(['apply'])
    assert.equal(withoutTarget.exitCode, 2)
    assert.match(withoutTarget.stderr, /started from an empty repository[\s\S]*--repo DIR/)
    await rig.dispatch(['stop', id])
    assert.match((await rig.dispatch(['rm', id])).stderr, /is not in any known repository/)
    const { outputs } = rig.readSession().paths
    assert.equal(
      (await rig.dispatch(['rm', id], { cwd: outputs })).exitCode,
      5,
      'outputs/ itself does not save the work',
    )

    const folder = path.join(rig.home, 'elsewhere/mine')
    await git(rig.home, 'init', '-q', '-b', 'main', folder)
    const applied = await rig.dispatch(['apply'], { cwd: folder })
    assert.equal(applied.exitCode, 0, applied.stderr)
    assert.match(applied.stdout, /is new, in \S+\/mine\n[\s\S]*main has no commit yet/)
    await git(folder, 'merge', '-q', `dispatch/${id}`)
    assert.equal(fs.readFileSync(path.join(folder, 'hello.sh'), 'utf8'), 'echo hello\n')
    assert.match((await rig.dispatch(['apply'], { cwd: folder })).stdout, /main already contains this work/)
    assert.equal((await rig.dispatch(['rm', id], { cwd: folder })).exitCode, 0)
  })
})

async function createRepository(rig: Rig, name: string): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere', name)
  await git(rig.home, 'init', '-q', '-b', 'main', folder)
  fs.writeFileSync(path.join(folder, 'kept.txt'), `kept in ${name}\n`)
  await git(folder, 'add', '-A')
  await git(folder, 'commit', '-qm', 'one')
  fs.writeFileSync(path.join(folder, 'kept.txt'), 'changed, not committed\n')
  fs.mkdirSync(path.join(folder, '.git/hooks'), { recursive: true })
  return folder
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...args], { cwd })
  assert.equal(ran.exitCode, 0, `git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}
