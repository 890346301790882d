import fs from 'node:fs'
import path from 'node:path'
import { listNames } from '#host/fs'

/**
 * Correct the paths in a session whose home is another one now, so that its agents can start again. Nothing of its record has such
 * a path. `folder` is where the session is being written, `from` where it was, `to` where it will be.
 */
export function relocateSession(folder: string, from: string, to: string): void {
  const names = [
    ...namesOfSession,
    ...listNames(path.join(folder, 'windows')).map(name => `windows/${name}`),
    ...listNames(path.join(folder, 'workers')).flatMap(worker =>
      namesOfWorker.map(name => `workers/${worker}/${name}`),
    ),
  ]
  for (const name of names) replaceInFile(path.join(folder, name), from, to)
  const claudeFolders = ['', ...listNames(path.join(folder, 'workers')).map(worker => `workers/${worker}`)]
  for (const name of claudeFolders) renameTranscripts(path.join(folder, name, 'claude-config/projects'), from, to)
}

// --- internal ---

const namesOfSession = [
  ...['write-allowlist', 'launch.sh', 'agent-gitconfig', 'claude-settings.json', 'system-prompt.md', 'sandbox.json'],
  ...['stop-gate.json', 'claude-config/.claude.json', 'claude-config/settings.json'],
]
const namesOfWorker = [
  'write-allowlist',
  'launch.sh',
  'system-prompt.md',
  'sandbox.json',
  'sandbox-git.json',
  'brief.md',
]

/** Through no link, and only where the path ends: `…-abcd` is not the beginning of `…-abcde`. */
function replaceInFile(file: string, from: string, to: string): void {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stats?.isFile()) return
  const text = fs.readFileSync(file, 'latin1')
  const [before, after] = [from, to].map(each => Buffer.from(each).toString('latin1'))
  if (before === undefined || after === undefined || !text.includes(before)) return
  const [first = '', ...others] = text.split(before)
  const moved = others.map(rest => (/^[\w-]/.test(rest) ? before : after) + rest)
  fs.chmodSync(file, 0o600)
  fs.writeFileSync(file, first + moved.join(''), 'latin1')
  fs.chmodSync(file, stats.mode & 0o777)
}

/** Claude finds a transcript by the folder in which it runs, with a hyphen for each other character than letters and digits. */
function renameTranscripts(projects: string, from: string, to: string): void {
  const encode = (folder: string) => folder.replace(/[^a-zA-Z0-9]/g, '-')
  for (const name of listNames(projects))
    if (name.startsWith(encode(from)))
      fs.renameSync(path.join(projects, name), path.join(projects, encode(to) + name.slice(encode(from).length)))
}
