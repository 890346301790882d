/** C10: git repositories that mean harm, the user's and a worker's. Nothing of theirs runs, and none holds us up. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  checkedOutIn,
  createBranch,
  DispatchError,
  fetchCommit,
  findCheckout,
  findRepository,
  howFarApart,
  ignoredFiles,
  install,
  instructionsOf,
  namedAt,
  propose,
  quirksOf,
  reaches,
  readProject,
  run,
  trackedAmong,
} from '../../host/index.ts'
import {
  changedPaths,
  differences,
  exportTree,
  importHead,
  listing,
  nestedRepositories,
  type Paths,
  pathsOf,
  prepareTrees,
} from '../../session/index.ts'
import { innocent, type Kind, type Place, plainGit, plainLine } from './hostile-git.ts'
import { odd } from './hostile-git-odd.ts'
import { runs } from './hostile-git-runs.ts'

const kinds = [...runs, ...odd]

/** Milliseconds that one step may take. */
const longest = 10_000
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-c10-')))
const user = path.join(home, 'user')
const session = path.join(home, 'session')
let base: string
let places = 0

before(async () => {
  fs.mkdirSync(user)
  plainGit(user, ['init', '-q', '-b', 'main'])
  for (const [name, text] of Object.entries(innocent)) fs.writeFileSync(path.join(user, name), text)
  plainGit(user, ['add', '-A'])
  plainGit(user, ['commit', '-q', '-m', 'one'])
  fs.mkdirSync(pathsOf(session).evidence, { recursive: true })
  base = (await prepareTrees(pathsOf(session), 'dispatch/x', user)).commit
})
after(() => fs.rmSync(home, { recursive: true, force: true }))

/** A copy of one of the two repositories, armed, with work in it that is not committed. */
function armed(kind: Kind, of: 'user' | 'worker'): { place: Place; paths: Paths } {
  const beside = path.join(home, `${++places}`)
  const paths = pathsOf(path.join(beside, 'session'))
  fs.mkdirSync(beside)
  fs.cpSync(session, paths.folder, { recursive: true, verbatimSymlinks: true })
  const folder = of === 'worker' ? paths.outputs : path.join(beside, 'user')
  if (of === 'user') fs.cpSync(user, folder, { recursive: true, verbatimSymlinks: true })
  const place = { folder, mark: path.join(beside, 'fired'), beside }
  fs.writeFileSync(`${place.mark}.sh`, `#!/bin/sh\ntouch ${place.mark}\n`, { mode: 0o755 })
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
function asUser({ folder, beside }: Place, paths: Paths) {
  const repository = { path: folder, commit: 'HEAD', uncommitted: 0 }
  const trees = pathsOf(path.join(beside, 'another'))
  fs.mkdirSync(trees.evidence, { recursive: true })
  return walk({
    find: () => findRepository(folder, []),
    instructions: () => instructionsOf(repository),
    quirks: () => quirksOf(repository),
    project: async () => readProject(folder),
    propose: () => propose(repository),
    ignored: () => ignoredFiles(folder),
    tracked: () => trackedAmong(folder, ['a.txt']),
    named: () => namedAt(repository, ['a.txt']),
    prepare: () => prepareTrees(trees, 'dispatch/y', folder),
    checkedOut: () => checkedOutIn(folder, 'main'),
    async apply() {
      const made = plainGit(paths.trees, ['commit-tree', `${base}^{tree}`, '-p', base, '-m', 'work'])
      plainGit(paths.trees, ['update-ref', 'refs/heads/judged', made])
      await fetchCommit(paths.trees, made, folder)
      await createBranch(folder, 'dispatch/work', made)
      await reaches(folder, made)
      const checkout = await findCheckout(folder)
      if (checkout) await howFarApart(checkout, made, base)
    },
  })
}

/** Git on the worker's behalf, without a sandbox. */
async function workerGit(step: string, { folder, beside }: Place): Promise<void> {
  fs.writeFileSync(path.join(beside, 'files'), '')
  const ran = await run('/bin/sh', [path.join(install, 'agents/worker-git.sh'), step], {
    cwd: folder,
    deadline: longest,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: beside,
      DISPATCH_OUTPUTS: folder,
      DISPATCH_WORKER: 'sid/w1',
      DISPATCH_KIND: 'code',
      DISPATCH_FILES: path.join(beside, 'files'),
      DISPATCH_ACCEPTED: base,
    },
  })
  assert.ok(!ran.timedOut, `${step} hangs`)
}

/** Everything that is done with the repository that a worker has written, up to bringing it home to an innocent one. */
function asWorker(place: Place, paths: Paths) {
  const tree = path.join(place.beside, 'export')
  const mine = path.join(place.beside, 'mine')
  fs.mkdirSync(tree)
  fs.cpSync(user, mine, { recursive: true })
  let head = base
  return walk({
    commit: () => workerGit('commit', place),
    head: () => workerGit('head', place),
    import: async () => {
      head = (await importHead(paths)).commit
    },
    differences: () => differences(paths, head),
    changed: () => changedPaths(paths, base, head, ['*.txt']),
    listing: () => listing(paths, head),
    nested: () => nestedRepositories(paths, head),
    async export() {
      await exportTree(paths, head, tree)
    },
    apply: () => fetchCommit(paths.trees, head, mine),
    setAside: async () => fs.writeFileSync(path.join(place.folder, 'b.txt'), 'more\n'),
    again: () => workerGit('set-aside', place),
  })
}

/** What must not be there: a mark, a file outside of the tree, or what lies beside the repository in the work. */
function traces({ mark, beside, folder }: Place, paths: Paths): string[] {
  const escaped = fs.readdirSync(beside).filter(name => name === 'escaped')
  const fired = [mark, path.join(folder, path.basename(mark))].filter(file => fs.existsSync(file))
  const taken = plainGit(paths.trees, ['log', '--all', '--name-only', '--format=']).split('\n')
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
        if (kind.fires === undefined) continue
        const control = armed(kind, of)
        plainLine(control.place.folder, kind.fires)
        assert.ok(fs.existsSync(control.place.mark), `plain git does not fire it: ${kind.fires}`)
      }
    })
  }
})
