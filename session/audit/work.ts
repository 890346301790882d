import fs from 'node:fs'
import path from 'node:path'
import { differences, foreignIn } from '../trees.ts'
import { caps, type Dossier, eventsOf, isFolder, look } from './dossier.ts'
import { brokenObjects, hasObject, hidingLines, type Lens, stagedIn, strangersIn } from './lens.ts'
import { type Remark, Remarks } from './remark.ts'
import { verdictsOf } from './verdict.ts'

/** Is what lies in `outputs/` what was judged, and is our own repository whole? */
export async function auditTree(dossier: Dossier, lens: Lens | string): Promise<Remark[]> {
  const remarks = new Remarks('tree')
  const { paths, status } = dossier
  if (typeof lens === 'string') {
    if (status.base)
      remarks.damage('evidence/trees.git', lens, 'What was judged cannot be looked at, so it was left alone.')
    return remarks.all
  }
  const foreign = foreignIn(paths)
  if (foreign !== undefined)
    remarks.damage(
      'evidence/trees.git',
      `is not set up as dispatch made it: ${foreign.slice(0, 80)}`,
      'Git was not run in it.',
    )
  if (fs.existsSync(path.join(paths.trees, 'refs/replace')))
    remarks.damage('evidence/trees.git/refs/replace', 'puts objects in the place of others', 'Our git did not heed it.')
  for (const line of hidingLines(paths))
    remarks.damage(
      'evidence/trees.git/info/exclude',
      `hides \`${line.slice(0, 80)}\``,
      'New files in outputs/ went unseen.',
    )
  const commits = [...commitsOf(dossier)].filter(([, commit]) => /^[0-9a-f]{40,64}$/.test(commit))
  const broken = await brokenObjects(lens, [...new Set(commits.map(([, commit]) => commit))])
  for (const line of broken.slice(0, 10))
    remarks.damage('evidence/trees.git', line.slice(0, 200), 'What was judged is damaged.')
  for (const [name, commit] of commits) auditReference(dossier, name, commit, remarks)
  const verdict = judgedOf(dossier)
  if (!verdict) {
    remarks.note('outputs', 'there is no verdict that stands, so there is nothing to compare it with')
    return remarks.all
  }
  const strange = strangersIn(paths.outputs, file => /\/\.git(\/|ignore$|attributes$|$)/.test(file) && !isLink(file))
  if (strange.length > 0) {
    remarks.damage(
      'outputs',
      `holds something that git must not touch: ${strange[0]}`,
      'It was not compared with what was judged.',
    )
    return remarks.all
  }
  const changed = await differences(lens, verdict.commit).catch((error: Error) => error)
  if (changed instanceof Error)
    remarks.damage(
      'outputs',
      `cannot be compared: ${changed.message.slice(0, 300)}`,
      'Nobody can say whether this was judged.',
    )
  else
    for (const file of changed.slice(0, 10))
      remarks.damage(
        `outputs/${file}`,
        'is not as it was judged',
        'The verdict is void for what lies in outputs/; what was judged is in evidence/trees.git.',
      )
  if (!(changed instanceof Error) && changed.length > 10)
    remarks.damage('outputs', `and ${changed.length - 10} more files`, '')
  return remarks.all
}

/** Does git's index in `outputs/` hold what was judged, and does its HEAD stand there? */
export async function auditIndex(dossier: Dossier, lens: Lens | string): Promise<Remark[]> {
  const remarks = new Remarks('index')
  const verdict = judgedOf(dossier)
  const folder = path.join(dossier.paths.outputs, '.git')
  if (!verdict || typeof lens === 'string') return remarks.all
  if (!isFolder(folder)) {
    remarks.damage('outputs/.git', 'is gone, or is no folder', 'The place of work is no repository any more.')
    return remarks.all
  }
  const head = headIn(folder)
  if (head !== verdict.commit)
    remarks.damage(
      'outputs/.git/HEAD',
      `stands at ${head?.slice(0, 10) ?? 'nothing that reads'}, judged was ${verdict.commit.slice(0, 10)}`,
      'Who takes the branch there takes something else than what was judged.',
    )
  const index = look(path.join(folder, 'index'), caps.index)
  if (index.bytes === undefined && index.why !== 'is gone') remarks.damage('outputs/.git/index', index.why, unstaged)
  if (index.bytes === undefined) return remarks.all
  const staged = await stagedIn(lens, index.bytes, verdict.commit).catch((error: Error) => error)
  if (staged instanceof Error)
    remarks.damage('outputs/.git/index', `cannot be read: ${staged.message.slice(0, 300)}`, unstaged)
  else
    for (const { kind, object, path: file } of staged.slice(0, 10)) {
      const isOld = kind === 'D' || (kind === 'M' && (await hasObject(lens, object)))
      if (isOld) remarks.note('outputs/.git/index', `${file} is staged as it was earlier`)
      else remarks.damage('outputs/.git/index', `${file} is staged, and not as it was judged`, unstaged)
    }
  return remarks.all
}

// --- internal ---

const unstaged = 'Who commits there commits something else than what was judged.'

/** The verdict that stands for what lies in `outputs/`; undefined while work goes on. */
function judgedOf(dossier: Dossier) {
  const { status } = dossier
  const given = verdictsOf(dossier).at(-1)
  const isAfter = eventsOf(dossier, 'worker.queued').some(({ place }) => place > (given?.place ?? 0))
  return given?.final && !isAfter && status.verdict ? given : undefined
}

/** The names our own repository has for commits, by the log. */
function commitsOf(dossier: Dossier): Map<string, string> {
  const named = new Map<string, string>()
  if (dossier.status.base) named.set('base', dossier.status.base.commit)
  for (const { round, commit } of verdictsOf(dossier)) {
    if (eventsOf(dossier, 'judging.started').some(started => started.round === round))
      named.set(`round-${round}`, commit)
    named.set('judged', commit)
  }
  return named
}

function auditReference(dossier: Dossier, name: string, commit: string, remarks: Remarks): void {
  const stands = referenceIn(dossier.paths.trees, `refs/heads/${name}`)
  if (stands === commit || (name === 'judged' && dossier.status.phase === 'judging')) return
  remarks.damage(
    'evidence/trees.git',
    `its branch ${name} stands at ${stands?.slice(0, 10) ?? 'nothing'}, in the log at ${commit.slice(0, 10)}`,
    'Who fetches it fetches something else than the log says.',
  )
}

/** Where HEAD leads, read by ourselves: git would go by the configuration that lies beside it. */
function headIn(folder: string): string | undefined {
  const text = look(path.join(folder, 'HEAD'), 4096).bytes?.toString('utf8').trim() ?? ''
  const [, name] = /^ref: (refs\/[\w./-]+)$/.exec(text) ?? []
  if (name === undefined) return /^[0-9a-f]{40,64}$/.test(text) ? text : undefined
  return name.includes('..') ? undefined : referenceIn(folder, name)
}

function referenceIn(folder: string, name: string): string | undefined {
  const loose = look(path.join(folder, name), 4096).bytes?.toString('utf8').trim()
  if (loose !== undefined) return /^[0-9a-f]{40,64}$/.test(loose) ? loose : undefined
  const packed = look(path.join(folder, 'packed-refs'), caps.output).bytes?.toString('utf8') ?? ''
  return packed
    .split('\n')
    .find(line => line.endsWith(` ${name}`))
    ?.split(' ')[0]
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
