/** Hostile git repositories, the user's and a worker's. Nothing in them runs, and none of them makes dispatch hang. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { installFolder } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import {
  createBranch,
  fetchCommit,
  filterTrackedPaths,
  findCheckout,
  findRepository,
  findRepoWarnings,
  findWorktree,
  isReachable,
  measureDivergence,
} from '#host/git'
import { listIgnoredFiles } from '#host/git/git.ts'
import { listMissingLockfiles, proposeProject, readInstructions, readProject } from '#host/project'
import type { SessionPaths } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'
import {
  checkFilteredFiles,
  exportRepository,
  importWork,
  listChangedPaths,
  listCommitFiles,
  listDifferences,
  listNestedRepositories,
  listSubmoduleChanges,
  prepareRepository,
} from '#session/repository'
import {
  type HostileRepository,
  type HostileRepositoryPaths,
  innocentFiles,
  runPlainGit,
  runPlainShell,
} from '../fixtures/hostile-git.ts'
import { oddRepositories } from '../fixtures/hostile-git-odd.ts'
import { executingRepositories } from '../fixtures/hostile-git-runs.ts'
import { HANG_MS } from '../fixtures/scratch.ts'
import { sampleCases } from '../long/select-cases.ts'

const kinds = [...executingRepositories, ...oddRepositories]

const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-hostile-git-')))
const user = path.join(home, 'user')
const session = path.join(home, 'session')
let base: string
let copies = 0

before(async () => {
  fs.mkdirSync(user)
  runPlainGit(user, ['init', '-q', '-b', 'main'])
  for (const [name, text] of Object.entries(innocentFiles)) fs.writeFileSync(path.join(user, name), text)
  runPlainGit(user, ['add', '-A'])
  runPlainGit(user, ['commit', '-q', '-m', 'one'])
  fs.mkdirSync(resolveSessionPaths(session).evidence, { recursive: true })
  base = (await prepareRepository(resolveSessionPaths(session), 'dispatch/x', user)).commit
})
after(() => fs.rmSync(home, { recursive: true, force: true }))

/** Copy one of the two repositories, arm the copy, and leave uncommitted work in it. */
function arm(kind: HostileRepository, role: 'user' | 'worker'): { place: HostileRepositoryPaths; paths: SessionPaths } {
  const siblingFolder = path.join(home, `${++copies}`)
  const paths = resolveSessionPaths(path.join(siblingFolder, 'session'))
  fs.mkdirSync(siblingFolder)
  fs.cpSync(session, paths.folder, { recursive: true, verbatimSymlinks: true })
  const folder = role === 'worker' ? paths.outputs : path.join(siblingFolder, 'user')
  if (role === 'user') fs.cpSync(user, folder, { recursive: true, verbatimSymlinks: true })
  const place = { folder, markFile: path.join(siblingFolder, 'fired'), siblingFolder }
  fs.writeFileSync(`${place.markFile}.sh`, `#!/bin/sh\ntouch ${place.markFile}\n`, { mode: 0o755 })
  kind.arm(place)
  fs.writeFileSync(path.join(folder, 'a.txt'), 'changed\n')
  fs.writeFileSync(path.join(folder, 'new.txt'), 'new\n')
  return { place, paths }
}

/** Run each step: it works or fails with a DispatchError. Returns the messages of those errors. */
async function runSteps(steps: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const refusals: string[] = []
  for (const [name, step] of Object.entries(steps)) {
    await step().catch(error => {
      assert.ok(error instanceof DispatchError, `${name} crashed: ${error.stack}`)
      refusals.push(`${name}: ${error.message.split('\n')[0]}`)
    })
  }
  return refusals
}

/** Everything that dispatch does with a user's repository, up to applying work to it. */
function treatAsUser({ folder, siblingFolder }: HostileRepositoryPaths, paths: SessionPaths) {
  const repository = { path: folder, commit: 'HEAD' }
  const trees = resolveSessionPaths(path.join(siblingFolder, 'another'))
  fs.mkdirSync(trees.evidence, { recursive: true })
  return runSteps({
    find: () => findRepository(folder, []),
    instructions: () => readInstructions(repository),
    warnings: () => findRepoWarnings(repository),
    project: async () => readProject(folder),
    propose: () => proposeProject(repository),
    ignored: () => listIgnoredFiles(folder),
    tracked: () => filterTrackedPaths(folder, ['a.txt']),
    named: () => listMissingLockfiles(repository, ['a.txt']),
    prepare: () => prepareRepository(trees, 'dispatch/y', folder),
    checkedOut: () => findWorktree(folder, 'main'),
    async apply() {
      const made = runPlainGit(paths.bareRepository, ['commit-tree', `${base}^{tree}`, '-p', base, '-m', 'work'])
      runPlainGit(paths.bareRepository, ['update-ref', 'refs/heads/judged', made])
      await fetchCommit(paths.bareRepository, made, folder)
      await createBranch(folder, 'dispatch/work', made)
      await isReachable(folder, made)
      const checkout = await findCheckout(folder)
      if (checkout) await measureDivergence(checkout, made, base)
    },
  })
}

/** Run one step of worker-git.sh, without a sandbox. */
async function runWorkerGit(step: string, { folder, siblingFolder }: HostileRepositoryPaths): Promise<void> {
  fs.writeFileSync(path.join(siblingFolder, 'files'), '')
  fs.writeFileSync(path.join(siblingFolder, 'commit-message.txt'), 'x')
  const ran = await runProgram('/bin/sh', [path.join(installFolder, 'agents/worker-git.sh'), step], {
    cwd: folder,
    timeoutMs: HANG_MS,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: siblingFolder,
      DISPATCH_OUTPUTS: folder,
      DISPATCH_FOLDER: siblingFolder,
      DISPATCH_WORKER: 'sid/w1',
      DISPATCH_KIND: 'code',
      DISPATCH_FILES: path.join(siblingFolder, 'files'),
      DISPATCH_ACCEPTED: base,
    },
  })
  assert.ok(!ran.timedOut, `${step} hangs`)
}

/** Everything that dispatch does with a worker's repository, up to applying its work to an innocent one. */
function treatAsWorker(place: HostileRepositoryPaths, paths: SessionPaths) {
  const tree = path.join(place.siblingFolder, 'export')
  const target = path.join(place.siblingFolder, 'mine')
  fs.mkdirSync(tree)
  fs.cpSync(user, target, { recursive: true })
  let head = base
  return runSteps({
    commit: () => runWorkerGit('commit', place),
    head: () => runWorkerGit('head', place),
    import: async () => {
      head = (await importWork(paths)).commit
    },
    differences: () => listDifferences(paths, head),
    changed: () => listChangedPaths(paths, base, head),
    listing: () => listCommitFiles(paths, head),
    nested: () => listNestedRepositories(paths, head),
    submodules: () => listSubmoduleChanges(paths, base),
    filters: () => checkFilteredFiles(paths, base, head),
    async export() {
      const commit = { commit: head, tree: runPlainGit(paths.bareRepository, ['rev-parse', `${head}^{tree}`]) }
      await exportRepository(paths, commit, tree, [])
    },
    apply: () => fetchCommit(paths.bareRepository, head, target),
    change: async () => fs.writeFileSync(path.join(place.folder, 'b.txt'), 'more\n'),
    quarantine: () => runWorkerGit('quarantine', place),
  })
}

/** What must not exist: a mark file, a file outside the tree, or a secret from beside the repository in the work. */
function findTraces({ markFile, siblingFolder, folder }: HostileRepositoryPaths, paths: SessionPaths): string[] {
  const escaped = fs.readdirSync(siblingFolder).filter(name => name === 'escaped')
  const fired = [markFile, path.join(folder, path.basename(markFile))].filter(file => fs.existsSync(file))
  const imported = runPlainGit(paths.bareRepository, ['log', '--all', '--name-only', '--format=']).split('\n')
  return [...escaped, ...fired, ...imported.filter(name => /secret/.test(name))]
}

describe('a hostile git repository runs nothing', { concurrency: 2 }, () => {
  for (const kind of sampleCases(kinds, 8)) {
    it(kind.name, async t => {
      for (const [role, treat] of [
        ['user', treatAsUser],
        ['worker', treatAsWorker],
      ] as const) {
        const { place, paths } = arm(kind, role)
        const refusals = await treat(place, paths)
        for (const refusal of refusals) t.diagnostic(`${role}: ${refusal.replaceAll(home, '')}`)
        assert.deepEqual(findTraces(place, paths), [], `as a ${role}'s repository it ran something or reached outside`)
        if (kind.trigger === undefined) continue
        const control = arm(kind, role)
        runPlainShell(control.place.folder, kind.trigger)
        assert.ok(fs.existsSync(control.place.markFile), `plain git does not fire it: ${kind.trigger}`)
      }
    })
  }
})
