import fs from 'node:fs'
import path from 'node:path'
import { listDifferences } from '../repository/diff.ts'
import { findForeignConfig } from '../repository/integrity.ts'
import {
  hasObject,
  type IsolatedRepository,
  listBrokenObjects,
  listExtraIgnores,
  listSpecialFiles,
  listStagedChanges,
} from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import { isFolder, MAX_BYTES, readCapped, type SessionFiles, selectEvents } from './session-files.ts'
import { listVerdicts } from './verdict.ts'

/** Is what lies in `outputs/` what was judged, and is our own repository whole? */
export async function auditWorktree(dossier: SessionFiles, lens: IsolatedRepository | string): Promise<AuditProblem[]> {
  const remarks = new AuditProblems('tree')
  const { paths, status } = dossier
  if (typeof lens === 'string') {
    if (status.base)
      remarks.addDamage('evidence/repository.git', lens, 'What was judged cannot be looked at, so it was left alone.')
    return remarks.problems
  }
  const foreign = findForeignConfig(paths)
  if (foreign !== undefined)
    remarks.addDamage(
      'evidence/repository.git',
      `is not set up as dispatch made it: ${foreign.slice(0, 80)}`,
      'Git was not run in it.',
    )
  if (fs.existsSync(path.join(paths.bareRepository, 'refs/replace')))
    remarks.addDamage(
      'evidence/repository.git/refs/replace',
      'puts objects in the place of others',
      'Our git did not heed it.',
    )
  for (const line of listExtraIgnores(paths))
    remarks.addDamage(
      'evidence/repository.git/info/exclude',
      `hides \`${line.slice(0, 80)}\``,
      'New files in outputs/ went unseen.',
    )
  const commits = [...listKnownCommits(dossier)].filter(([, commit]) => /^[0-9a-f]{40,64}$/.test(commit))
  const broken = await listBrokenObjects(lens, [...new Set(commits.map(([, commit]) => commit))])
  for (const line of broken.slice(0, 10))
    remarks.addDamage('evidence/repository.git', line.slice(0, 200), 'What was judged is damaged.')
  for (const [name, commit] of commits) auditReference(dossier, name, commit, remarks)
  const verdict = findJudgedVerdict(dossier)
  if (!verdict) {
    remarks.addNote('outputs', 'there is no verdict that stands, so there is nothing to compare it with')
    return remarks.problems
  }
  const strange = listSpecialFiles(
    paths.outputs,
    file => /\/\.git(\/|ignore$|attributes$|$)/.test(file) && !isLink(file),
  )
  if (strange.length > 0) {
    remarks.addDamage(
      'outputs',
      `holds something that git must not touch: ${strange[0]}`,
      'It was not compared with what was judged.',
    )
    return remarks.problems
  }
  const changed = await listDifferences(lens, verdict.commit).catch((error: Error) => error)
  if (changed instanceof Error)
    remarks.addDamage(
      'outputs',
      `cannot be compared: ${changed.message.slice(0, 300)}`,
      'Nobody can say whether this was judged.',
    )
  else
    for (const file of changed.slice(0, 10))
      remarks.addDamage(
        `outputs/${file}`,
        'is not as it was judged',
        'The verdict is void for what lies in outputs/; what was judged is in evidence/repository.git.',
      )
  if (!(changed instanceof Error) && changed.length > 10)
    remarks.addDamage('outputs', `and ${changed.length - 10} more files`, '')
  return remarks.problems
}

/** Does git's index in `outputs/` hold what was judged, and does its HEAD stand there? */
export async function auditGitIndex(dossier: SessionFiles, lens: IsolatedRepository | string): Promise<AuditProblem[]> {
  const remarks = new AuditProblems('index')
  const verdict = findJudgedVerdict(dossier)
  const folder = path.join(dossier.paths.outputs, '.git')
  if (!verdict || typeof lens === 'string') return remarks.problems
  if (!isFolder(folder)) {
    remarks.addDamage('outputs/.git', 'is gone, or is no folder', 'The place of work is no repository any more.')
    return remarks.problems
  }
  const head = readHead(folder)
  if (head !== verdict.commit)
    remarks.addDamage(
      'outputs/.git/HEAD',
      `stands at ${head?.slice(0, 10) ?? 'nothing that reads'}, judged was ${verdict.commit.slice(0, 10)}`,
      'Who takes the branch there takes something else than what was judged.',
    )
  const index = readCapped(path.join(folder, 'index'), MAX_BYTES.index)
  if (index.bytes === undefined && index.reason !== 'is gone')
    remarks.addDamage('outputs/.git/index', index.reason, UNSTAGED_CONSEQUENCE)
  if (index.bytes === undefined) return remarks.problems
  const staged = await listStagedChanges(lens, index.bytes, verdict.commit).catch((error: Error) => error)
  if (staged instanceof Error)
    remarks.addDamage('outputs/.git/index', `cannot be read: ${staged.message.slice(0, 300)}`, UNSTAGED_CONSEQUENCE)
  else
    for (const { kind, object, path: file } of staged.slice(0, 10)) {
      const isOld = kind === 'D' || (kind === 'M' && (await hasObject(lens, object)))
      if (isOld) remarks.addNote('outputs/.git/index', `${file} is staged as it was earlier`)
      else remarks.addDamage('outputs/.git/index', `${file} is staged, and not as it was judged`, UNSTAGED_CONSEQUENCE)
    }
  return remarks.problems
}

// --- internal ---

const UNSTAGED_CONSEQUENCE = 'Who commits there commits something else than what was judged.'

/** The verdict that stands for what lies in `outputs/`; undefined while work goes on. */
function findJudgedVerdict(dossier: SessionFiles) {
  const { status } = dossier
  const given = listVerdicts(dossier).at(-1)
  const isAfter = selectEvents(dossier, 'worker.queued').some(({ place }) => place > (given?.place ?? 0))
  return given?.isFinal && !isAfter && status.verdict ? given : undefined
}

/** The names our own repository has for commits, by the log. */
function listKnownCommits(dossier: SessionFiles): Map<string, string> {
  const named = new Map<string, string>()
  if (dossier.status.base) named.set('base', dossier.status.base.commit)
  for (const { round, commit } of listVerdicts(dossier)) {
    if (selectEvents(dossier, 'judging.started').some(started => started.round === round))
      named.set(`round-${round}`, commit)
    named.set('judged', commit)
  }
  return named
}

function auditReference(dossier: SessionFiles, name: string, commit: string, remarks: AuditProblems): void {
  const stands = readReference(dossier.paths.bareRepository, `refs/heads/${name}`)
  if (stands === commit || (name === 'judged' && dossier.status.phase === 'judging')) return
  remarks.addDamage(
    'evidence/repository.git',
    `its branch ${name} stands at ${stands?.slice(0, 10) ?? 'nothing'}, in the log at ${commit.slice(0, 10)}`,
    'Who fetches it fetches something else than the log says.',
  )
}

/** Where HEAD leads, read by ourselves: git would go by the configuration that lies beside it. */
function readHead(folder: string): string | undefined {
  const text = readCapped(path.join(folder, 'HEAD'), 4096).bytes?.toString('utf8').trim() ?? ''
  const [, name] = /^ref: (refs\/[\w./-]+)$/.exec(text) ?? []
  if (name === undefined) return /^[0-9a-f]{40,64}$/.test(text) ? text : undefined
  return name.includes('..') ? undefined : readReference(folder, name)
}

function readReference(folder: string, name: string): string | undefined {
  const loose = readCapped(path.join(folder, name), 4096).bytes?.toString('utf8').trim()
  if (loose !== undefined) return /^[0-9a-f]{40,64}$/.test(loose) ? loose : undefined
  const packed = readCapped(path.join(folder, 'packed-refs'), MAX_BYTES.output).bytes?.toString('utf8') ?? ''
  return packed
    .split('\n')
    .find(line => line.endsWith(` ${name}`))
    ?.split(' ')[0]
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
