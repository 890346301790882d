/** C10: git repositories that mean harm, the user's and a worker's. Nothing of theirs runs, and none holds us up. */
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
  filterExistingPaths,
  filterTrackedPaths,
  findCheckout,
  findRepository,
  findRepoWarnings,
  findWorktree,
  isReachable,
  measureDivergence,
} from '#host/git'
import { listIgnoredFiles } from '#host/git/git.ts'
import { proposeProject, readInstructions, readProject } from '#host/project'
import type { SessionPaths } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'
import {
  exportTree,
  importWork,
  listChangedPaths,
  listCommitFiles,
  listDifferences,
  listNestedRepositories,
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

const kinds = [...executingRepositories, ...oddRepositories]

/** Milliseconds that one step may take. */
const longest = 10_000
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-c10-')))
const user = path.join(home, 'user')
const session = path.join(home, 'session')
let base: string
let places = 0

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

/** A copy of one of the two repositories, armed, with work in it that is not committed. */
function armed(kind: HostileRepository, of: 'user' | 'worker'): { place: HostileRepositoryPaths; paths: SessionPaths } {
  const siblingFolder = path.join(home, `${++places}`)
  const paths = resolveSessionPaths(path.join(siblingFolder, 'session'))
  fs.mkdirSync(siblingFolder)
  fs.cpSync(session, paths.folder, { recursive: true, verbatimSymlinks: true })
  const folder = of === 'worker' ? paths.outputs : path.join(siblingFolder, 'user')
  if (of === 'user') fs.cpSync(user, folder, { recursive: true, verbatimSymlinks: true })
  const place = { folder, markFile: path.join(siblingFolder, 'fired'), siblingFolder }
  fs.writeFileSync(`${place.markFile}.sh`, `#!/bin/sh\ntouch ${place.markFile}\n`, { mode: 0o755 })
  kind.arm(place)
  fs.writeFileSync(path.join(folder, 'a.txt'), 'changed\n')
  fs.writeFileSync(path.join(folder, 'new.txt'), 'new\n')
  return { place, paths }
}

/** Each step works, or is refused in words for a person; none takes long. Answers the refusals. */
async function walk(steps: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const refused: string[] = []
  for (const [name, step] of Object.entries(steps)) {
    const began = performance.now()
    await step().catch(error => {
      assert.ok(error instanceof DispatchError, `${name} crashed: ${error.stack}`)
      refused.push(`${name}: ${error.message.split('\n')[0]}`)
    })
    assert.ok(performance.now() - began < longest, `${name} took ${Math.round(performance.now() - began)} ms`)
  }
  return refused
}

/** Everything that `dispatch` does with a repository that it is given, up to bringing work home to it. */
function asUser({ folder, siblingFolder }: HostileRepositoryPaths, paths: SessionPaths) {
  const repository = { path: folder, commit: 'HEAD', uncommitted: 0 }
  const trees = resolveSessionPaths(path.join(siblingFolder, 'another'))
  fs.mkdirSync(trees.evidence, { recursive: true })
  return walk({
    find: () => findRepository(folder, []),
    instructions: () => readInstructions(repository),
    quirks: () => findRepoWarnings(repository),
    project: async () => readProject(folder),
    propose: () => proposeProject(repository),
    ignored: () => listIgnoredFiles(folder),
    tracked: () => filterTrackedPaths(folder, ['a.txt']),
    named: () => filterExistingPaths(repository, ['a.txt']),
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

/** Git on the worker's behalf, without a sandbox. */
async function workerGit(step: string, { folder, siblingFolder }: HostileRepositoryPaths): Promise<void> {
  fs.writeFileSync(path.join(siblingFolder, 'files'), '')
  const ran = await runProgram('/bin/sh', [path.join(installFolder, 'agents/worker-git.sh'), step], {
    cwd: folder,
    timeoutMs: longest,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: siblingFolder,
      DISPATCH_OUTPUTS: folder,
      DISPATCH_WORKER: 'sid/w1',
      DISPATCH_KIND: 'code',
      DISPATCH_FILES: path.join(siblingFolder, 'files'),
      DISPATCH_ACCEPTED: base,
    },
  })
  assert.ok(!ran.timedOut, `${step} hangs`)
}

/** Everything that is done with the repository that a worker has written, up to bringing it home to an innocent one. */
function asWorker(place: HostileRepositoryPaths, paths: SessionPaths) {
  const tree = path.join(place.siblingFolder, 'export')
  const mine = path.join(place.siblingFolder, 'mine')
  fs.mkdirSync(tree)
  fs.cpSync(user, mine, { recursive: true })
  let head = base
  return walk({
    commit: () => workerGit('commit', place),
    head: () => workerGit('head', place),
    import: async () => {
      head = (await importWork(paths)).commit
    },
    differences: () => listDifferences(paths, head),
    changed: () => listChangedPaths(paths, base, head, ['*.txt']),
    listing: () => listCommitFiles(paths, head),
    nested: () => listNestedRepositories(paths, head),
    async export() {
      await exportTree(paths, head, tree)
    },
    apply: () => fetchCommit(paths.bareRepository, head, mine),
    setAside: async () => fs.writeFileSync(path.join(place.folder, 'b.txt'), 'more\n'),
    again: () => workerGit('quarantine', place),
  })
}

/** What must not be there: a mark, a file outside of the tree, or what lies beside the repository in the work. */
function traces({ markFile, siblingFolder, folder }: HostileRepositoryPaths, paths: SessionPaths): string[] {
  const escaped = fs.readdirSync(siblingFolder).filter(name => name === 'escaped')
  const fired = [markFile, path.join(folder, path.basename(markFile))].filter(file => fs.existsSync(file))
  const taken = runPlainGit(paths.bareRepository, ['log', '--all', '--name-only', '--format=']).split('\n')
  return [...escaped, ...fired, ...taken.filter(name => /secret/.test(name))]
}

describe('C10', { concurrency: 2 }, () => {
  for (const [at, kind] of kinds.entries()) {
    it(`C10 ${String(at + 1).padStart(2, '0')} ${kind.name}`, async t => {
      for (const [of, treat] of [
        ['user', asUser],
        ['worker', asWorker],
      ] as const) {
        const { place, paths } = armed(kind, of)
        const refused = await treat(place, paths)
        for (const words of refused) t.diagnostic(`${of}: ${words.replaceAll(home, '')}`)
        assert.deepEqual(traces(place, paths), [], `as a ${of}'s repository it ran, or reached out`)
        if (kind.trigger === undefined) continue
        const control = armed(kind, of)
        runPlainShell(control.place.folder, kind.trigger)
        assert.ok(fs.existsSync(control.place.markFile), `plain git does not fire it: ${kind.trigger}`)
      }
    })
  }
})
