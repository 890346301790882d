import fs from 'node:fs'
import path from 'node:path'
import {
  appendGitConfig,
  buildFsmonitorConfig,
  commitAll,
  findLooseObject,
  type HostileRepository,
  type HostileRepositoryPaths,
  runPlainGit,
  writeWorkFile,
} from './hostile-git.ts'

/** These run nothing; what they could reach or hold up is what counts. */
export const oddRepositories: HostileRepository[] = [
  {
    name: 'core.worktree points at a folder elsewhere',
    arm(place) {
      fs.mkdirSync(path.join(place.siblingFolder, 'elsewhere'))
      fs.writeFileSync(path.join(place.siblingFolder, 'elsewhere/secret.txt'), 'not of the repository\n')
      appendGitConfig(place, `[core]\n\tworktree = ${place.siblingFolder}/elsewhere\n`)
    },
    silentReason: 'what counts is that nothing of that folder comes along',
  },
  {
    name: 'alternates that lead to a folder that is gone',
    arm: place => writeWorkFile(place, '.git/objects/info/alternates', '/nonexistent/objects\n'),
    silentReason: 'there is nothing to run',
  },
  {
    name: 'an object that is damaged',
    arm(place) {
      const file = findLooseObject(place, 'HEAD:a.txt')
      fs.chmodSync(file, 0o600)
      fs.writeFileSync(file, 'damaged')
    },
    silentReason: 'there is nothing to run',
  },
  createTreeKind('a tree with .GIT', '.GIT'),
  createTreeKind('a tree with .git', '.git'),
  createTreeKind('a tree with ..', '..'),
  createTreeKind('a tree with git~1', 'git~1'),
  {
    name: 'a file behind a link of the same name',
    arm(place) {
      const link = runPlainGit(place.folder, ['hash-object', '-w', '--stdin'], place.siblingFolder)
      const inner = writeRawTree(place, [['100644', 'escaped', runPlainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])]])
      checkoutTree(place, writeRawTree(place, [['120000', 'a', link], ['40000', 'a', inner]])) // biome-ignore format: one line
    },
    silentReason: 'what counts is that nothing is written behind the link',
  },
  {
    name: 'links out of the tree, absolute and by ..',
    arm(place) {
      fs.symlinkSync('/etc/passwd', path.join(place.folder, 'absolute'))
      fs.symlinkSync('../../../../etc', path.join(place.folder, 'up'))
      fs.rmSync(path.join(place.folder, 'CLAUDE.md'))
      fs.symlinkSync('/etc/passwd', path.join(place.folder, 'CLAUDE.md'))
      runPlainGit(place.folder, ['add', '-A'])
      commitAll(place)
    },
    silentReason: 'there is nothing to run',
  },
  {
    name: 'names with line ends, quotes, blanks and options',
    arm(place) {
      for (const name of ['a\nb', '"q"', "it's", ' ', '--help', '-rf', '$(x)', ':(glob)**', '\t', '*', '\u202e'])
        fs.writeFileSync(path.join(place.folder, name), `${name}\n`)
      runPlainGit(place.folder, ['add', '-A'])
      commitAll(place)
    },
    silentReason: 'there is nothing to run',
  },
  {
    name: '20,000 refs',
    arm(place) {
      const head = runPlainGit(place.folder, ['rev-parse', 'HEAD'])
      const lines = Array.from({ length: 20_000 }, (_, at) => `${head} refs/heads/many/${at}\n`)
      writeWorkFile(place, '.git/packed-refs', `# pack-refs with: peeled fully-peeled \n${lines.join('')}`)
    },
    silentReason: 'there is nothing to run',
  },
  {
    name: 'a branch whose name is a shell line',
    arm(place) {
      const name = `refs/heads/-x;touch\${IFS}${place.markFile.slice(1)};$(touch\${IFS}${path.basename(place.markFile)})`
      runPlainGit(place.folder, ['update-ref', name, 'HEAD'])
      runPlainGit(place.folder, ['symbolic-ref', 'HEAD', name])
    },
    silentReason: 'git runs no names; we might',
  },
  {
    name: 'replace refs that show another content',
    arm(place) {
      const other = runPlainGit(place.folder, ['hash-object', '-w', '--stdin'], 'replaced\n')
      runPlainGit(place.folder, [
        'update-ref',
        `refs/replace/${runPlainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])}`,
        other,
      ])
    },
    silentReason: 'there is nothing to run',
  },
  {
    name: 'grafts',
    arm: place =>
      writeWorkFile(
        place,
        '.git/info/grafts',
        `${runPlainGit(place.folder, ['rev-parse', 'HEAD'])} ${'1'.repeat(40)}\n`,
      ),
    silentReason: 'there is nothing to run',
  },
  {
    name: 'a shallow boundary that is not one',
    arm: place => writeWorkFile(place, '.git/shallow', `${runPlainGit(place.folder, ['rev-parse', 'HEAD'])}\n`),
    silentReason: 'there is nothing to run',
  },
  {
    name: 'a repository of somebody else’s (safe.directory)',
    arm(place) {
      appendGitConfig(place, buildFsmonitorConfig(place))
      if (process.geteuid?.() === 0)
        for (const at of ['.git', '']) fs.chownSync(path.join(place.folder, at), 65534, 65534)
    },
    silentReason: 'git itself refuses to read it',
  },
]

// --- internal ---

/** A tree as no git would write it. */
function writeRawTree(
  { folder }: HostileRepositoryPaths,
  entries: [mode: string, name: string, hash: string][],
): string {
  const bytes = entries.map(([mode, name, hash]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(hash, 'hex')]),
  )
  return runPlainGit(folder, ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], Buffer.concat(bytes))
}

function checkoutTree({ folder }: HostileRepositoryPaths, tree: string): void {
  runPlainGit(folder, ['update-ref', 'HEAD', runPlainGit(folder, ['commit-tree', tree, '-p', 'HEAD', '-m', 'armed'])])
}

/** A folder of that name in the tree, with a file in it. */
function createTreeKind(name: string, entry: string): HostileRepository {
  return {
    name,
    arm(place) {
      const blob = runPlainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])
      checkoutTree(place, writeRawTree(place, [['40000', entry, writeRawTree(place, [['100644', 'escaped', blob]])]]))
    },
    silentReason: 'what counts is that nothing is written outside of the tree',
  }
}
