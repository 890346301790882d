import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { entryPoint, fingerprintFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** `apply` and `rm`: one real session, and copies of it whose records differ. */

test('apply creates a branch in the repository the session started from', async t => {
  await withRig(helloScenario, async rig => {
    const folder = await repository(rig, 'project')
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
      const other = await repository(rig, 'other')
      await git(other, 'commit', '-qm', 'its own', '--allow-empty', '--amend')
      const applied = await rig.dispatch(['apply', '--repo', other])
      assert.equal(applied.exitCode, 0, applied.stderr)
      assert.match(applied.stdout, /started in another repository: \S+ and main have no common ancestor/)
      assert.match(applied.stdout, /merge --allow-unrelated-histories dispatch/)
      assert.equal((await rig.dispatch(['apply', '--repo', rig.home])).exitCode, 4)
    })

    await t.test('a verdict that contradicts the bare repository is exit 13', async () => {
      const copy = copyOf(rig, id, 'aaaa')
      const record = JSON.parse(fs.readFileSync(copy.verdictRecord, 'utf8'))
      fs.writeFileSync(copy.verdictRecord, JSON.stringify({ ...record, tree: '0'.repeat(40) }))
      const applied = await rig.dispatch(['apply', 'aaaa'])
      assert.equal(applied.exitCode, 13)
      assert.match(applied.stderr, /disagree about commit/)
      assert.equal(await git(folder, 'branch', '--list', 'dispatch/*aaaa'), '')
    })

    await t.test('without a valid PASS it asks, or needs --anyway', async () => {
      const voided = copyOf(rig, id, 'bbbb')
      fs.appendFileSync(path.join(voided.outputs, 'hello.sh'), '# more\n')
      const refused = await rig.dispatch(['apply', 'bbbb'])
      assert.equal(refused.exitCode, 5)
      assert.match(refused.stderr, /was PASS, but outputs\/ changed since \(hello\.sh\)[\s\S]*--anyway/)
      assert.equal((await rig.dispatch(['apply', 'bbbb', '--json'])).exitCode, 5)
      const slip = await runAtTerminal(rig, 'apply bbbb', 'bbb\r')
      assert.equal(slip.code, 5, slip.stdout)
      assert.match(slip.stdout, /Type bbbb to continue[\s\S]*Nothing was applied/)
      assert.equal((await runAtTerminal(rig, 'apply bbbb', '\u0004')).code, 5)
      assert.equal(await git(folder, 'branch', '--list', 'dispatch/*bbbb'), '')
      const typed = await runAtTerminal(rig, 'apply bbbb', 'bbbb\r')
      assert.equal(typed.code, 0, typed.stdout)
      assert.equal(await git(folder, 'rev-parse', `dispatch/${path.basename(voided.folder)}`), verdict.commit)

      rewriteLog(copyOf(rig, id, 'cccc'), line =>
        line.replace('"verdict":"PASS","reason"', '"verdict":"FAIL","reason"'),
      )
      assert.match((await rig.dispatch(['apply', 'cccc'])).stderr, /The verdict is FAIL: /)
      const anyway = await rig.dispatch(['apply', 'cccc', '--anyway'])
      assert.equal(anyway.exitCode, 0, anyway.stderr)
      assert.match(anyway.stdout, /verdict +The verdict is FAIL/)

      rewriteLog(copyOf(rig, id, 'dddd'), line => (/"type":"(verdict|judging)/.test(line) ? '' : line))
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
      copyOf(rig, 'cccc', 'eeee')
      const workspace = path.dirname(rig.readSession('eeee').paths.folder)
      const loose = await rig.dispatch(['rm', 'bbbb'])
      assert.equal(loose.exitCode, 5)
      assert.match(loose.stderr, /not committed in outputs\/: hello\.sh[\s\S]*--force bbbb/)

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

      assert.equal((await runAtTerminal(rig, 'rm cccc', 'no\r')).code, 5)
      fs.mkdirSync(path.join(workspace, '.removed-2026-01-01-half-0000/outputs'), { recursive: true })
      const typed = await runAtTerminal(rig, 'rm cccc', 'cccc\r')
      assert.equal(typed.code, 0, typed.stdout)
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
    const lost = await rig.dispatch(['apply'])
    assert.equal(lost.exitCode, 2)
    assert.match(lost.stderr, /started from an empty repository[\s\S]*--repo DIR/)
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

async function repository(rig: Rig, name: string): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere', name)
  await git(rig.home, 'init', '-q', '-b', 'main', folder)
  fs.writeFileSync(path.join(folder, 'kept.txt'), `kept in ${name}\n`)
  await git(folder, 'add', '-A')
  await git(folder, 'commit', '-qm', 'one')
  fs.writeFileSync(path.join(folder, 'kept.txt'), 'changed, not committed\n')
  fs.mkdirSync(path.join(folder, '.git/hooks'), { recursive: true })
  return folder
}

async function git(cwd: string, ...words: string[]): Promise<string> {
  const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...words], { cwd })
  assert.equal(ran.exitCode, 0, `git ${words.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}

type SessionPaths = ReturnType<Rig['readSession']>['paths']

/** The same session, closed and without a runner, under an id that ends otherwise. */
function copyOf(rig: Rig, named: string, letters: string): SessionPaths {
  const { folder } = rig.readSession(named).paths
  const seq = (rig.readEvents(named).at(-1)?.seq ?? 0) + 1
  const end = { seq, time: new Date().toISOString(), type: 'session.closed', actor: 'you', reason: '' }
  const aside = path.join(rig.home, letters) // Where no watchdog looks, until it is closed.
  fs.cpSync(folder, aside, { recursive: true, verbatimSymlinks: true })
  fs.rmSync(path.join(aside, '.runner-lease'), { recursive: true, force: true })
  fs.appendFileSync(path.join(aside, 'events.jsonl'), `\n${JSON.stringify(end)}\n`)
  fs.renameSync(aside, `${folder.slice(0, -4)}${letters}`)
  return rig.readSession(letters).paths
}

/** Rewrite the log of a copy, line by line. */
function rewriteLog({ events }: SessionPaths, line: (line: string) => string): void {
  fs.writeFileSync(events, fs.readFileSync(events, 'utf8').split('\n').map(line).join('\n'))
}

/** The real dispatch at a terminal, where a person types this once they are asked. */
async function runAtTerminal(rig: Rig, words: string, types: string): Promise<{ code: number | null; stdout: string }> {
  const child = spawn('script', ['-qec', `/bin/sh ${entryPoint} ${words}`, '/dev/null'], {
    env: { ...rig.environment, TERM: 'xterm' },
    cwd: path.join(rig.home, 'elsewhere'),
    timeout: 30_000,
  })
  let stdout = ''
  child.stdout.on('data', chunk => {
    const before = stdout
    stdout += chunk
    if (/to continue: /.test(stdout) && !/to continue: /.test(before)) child.stdin.write(types)
  })
  const [code] = await once(child, 'close')
  return { code, stdout }
}
