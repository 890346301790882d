import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { commitFolder, helloScenario, openRig } from '../fixtures/rig.ts'
import { createTwin } from '../fixtures/session-twin.ts'

/**
 * `npm run bench:landing`: how long `dispatch land` takes on a branch that has moved, compared with the bare commands: fetch, rebase,
 * the project's gate and the contract's check on a clean copy, push. Alternating in one run; the judge is scripted and answers at
 * once, and its process counts. Prints medians and their ratio, also without the judge. Figures to look at, not a test.
 */
const rounds = Number(process.argv[2] ?? 7)
const gateSeconds = Number(process.argv[3] ?? 5)
const gate = `sleep ${gateSeconds}`
const rig = await openRig(helloScenario, { SANDBOX: 'auto', CHECK_REPEAT_SEC: '0' })
try {
  const [folder, remote, other, clone] = ['mine', 'remote.git', 'other', 'clone'].map(name =>
    path.join(rig.home, 'elsewhere', name),
  ) as [string, string, string, string]
  const run = async (cwd: string, program: string, ...args: string[]) => {
    const ran = await runProgram(program, args, { cwd })
    assert.equal(ran.exitCode, 0, `${program} ${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
  }
  const git = (cwd: string, ...args: string[]) => run(cwd, 'git', '-c', 'user.name=o', '-c', 'user.email=o@x', ...args)
  fs.mkdirSync(folder)
  fs.writeFileSync(path.join(folder, '.dispatch.json'), JSON.stringify({ gates: [gate] }))
  await commitFolder(folder)
  await git(folder, 'config', 'user.name', 'Ada')
  await git(folder, 'config', 'user.email', 'ada@example.org')
  await git(rig.home, 'init', '--quiet', '--bare', remote)
  await git(folder, 'remote', 'add', 'origin', remote)
  await git(folder, 'push', '--quiet', 'origin', 'main')
  assert.equal((await rig.dispatch(['prepare', '--yes'], { cwd: folder })).exitCode, 0)
  const started = await rig.dispatch([helloTask, '--repo', folder, '--wait'])
  assert.equal(started.exitCode, 0, started.stderr)
  const original = rig.readSession()
  assert.equal((await rig.dispatch(['stop', original.id])).exitCode, 0)
  await git(rig.home, 'clone', '--quiet', '--branch', 'main', remote, other)
  await git(rig.home, 'clone', '--quiet', '--branch', 'main', remote, clone)
  await git(clone, 'checkout', '--quiet', '-b', 'work')
  fs.writeFileSync(path.join(clone, 'hello.sh'), 'echo hello\n')
  await git(clone, 'add', '--all')
  await git(clone, 'commit', '--quiet', '-m', 'hello')

  let moves = 0
  /** What others do meanwhile, and what has landed goes away, so that it can land again. */
  const moveBranch = async () => {
    await git(other, 'pull', '--quiet', '--ff-only')
    fs.rmSync(path.join(other, 'hello.sh'), { force: true })
    fs.writeFileSync(path.join(other, 'other'), `${moves++}\n`)
    await git(other, 'add', '--all')
    await git(other, 'commit', '--quiet', '-m', 'other')
    await git(other, 'push', '--quiet', 'origin', 'main')
  }
  const time = async (work: () => Promise<unknown>) => {
    const startedMs = performance.now()
    await work()
    return Math.round(performance.now() - startedMs)
  }
  const landBare = async () => {
    await git(clone, 'fetch', '--quiet', 'origin')
    await git(clone, 'checkout', '--quiet', '-B', 'landing', 'work')
    await git(clone, 'rebase', '--quiet', '--reapply-cherry-picks', 'origin/main')
    for (const command of [gate, 'sh hello.sh']) {
      const copy = fs.mkdtempSync(path.join(rig.home, 'tmp/copy-'))
      await git(clone, 'worktree', 'add', '--quiet', '--detach', copy, 'landing')
      await run(copy, '/bin/sh', '-c', command)
      await git(clone, 'worktree', 'remove', '--force', copy)
    }
    await git(clone, 'push', '--quiet', 'origin', 'landing:main')
  }
  const times = { bare: [] as number[], land: [] as number[], judge: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    await moveBranch()
    times.bare.push(await time(landBare))
    await moveBranch()
    const twin = createTwin(original, round.toString(16).padStart(4, '0'))
    times.land.push(
      await time(async () => {
        const ran = await rig.dispatch(['land', twin.id, '--into', 'main', '--json'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      }),
    )
    // The packet is written before the judge's process starts, and the answer once it has ended.
    const [asked, answered] = [twin.paths.landingPacket(1), twin.paths.landingAnswer(1)].map(
      file => fs.statSync(file).mtimeMs,
    )
    times.judge.push(Math.round((answered ?? 0) - (asked ?? 0)))
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  for (const [name, values] of Object.entries(times))
    console.log(`${name.padEnd(5)} median ${median(values)} ms   (${values.join(' ')})`)
  const [bare, land, judge] = [times.bare, times.land, times.judge].map(median) as [number, number, number]
  console.log(
    `ratio ${(land / bare).toFixed(2)}, without the judge ${((land - judge) / bare).toFixed(2)}, with a gate of ${gateSeconds} s`,
  )
} finally {
  await rig.close()
}
