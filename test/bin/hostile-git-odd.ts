import fs from 'node:fs'
import path from 'node:path'
import { commit, configure, type Kind, monitor, objectOf, type Place, plainGit, put } from './hostile-git.ts'

/** These run nothing; what they could reach or hold up is what counts. */
export const odd: Kind[] = [
  {
    name: 'core.worktree points at a folder elsewhere',
    arm(place) {
      fs.mkdirSync(path.join(place.beside, 'elsewhere'))
      fs.writeFileSync(path.join(place.beside, 'elsewhere/secret.txt'), 'not of the repository\n')
      configure(place, `[core]\n\tworktree = ${place.beside}/elsewhere\n`)
    },
    silent: 'what counts is that nothing of that folder comes along',
  },
  {
    name: 'alternates that lead to a folder that is gone',
    arm: place => put(place, '.git/objects/info/alternates', '/nonexistent/objects\n'),
    silent: 'there is nothing to run',
  },
  {
    name: 'an object that is damaged',
    arm(place) {
      const file = objectOf(place, 'HEAD:a.txt')
      fs.chmodSync(file, 0o600)
      fs.writeFileSync(file, 'damaged')
    },
    silent: 'there is nothing to run',
  },
  tree('a tree with .GIT', '.GIT'),
  tree('a tree with .git', '.git'),
  tree('a tree with ..', '..'),
  tree('a tree with git~1', 'git~1'),
  {
    name: 'a file behind a link of the same name',
    arm(place) {
      const link = plainGit(place.folder, ['hash-object', '-w', '--stdin'], place.beside)
      const inner = rawTree(place, [['100644', 'escaped', plainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])]])
      standAt(place, rawTree(place, [['120000', 'a', link], ['40000', 'a', inner]])) // biome-ignore format: one line
    },
    silent: 'what counts is that nothing is written behind the link',
  },
  {
    name: 'links out of the tree, absolute and by ..',
    arm(place) {
      fs.symlinkSync('/etc/passwd', path.join(place.folder, 'absolute'))
      fs.symlinkSync('../../../../etc', path.join(place.folder, 'up'))
      fs.rmSync(path.join(place.folder, 'CLAUDE.md'))
      fs.symlinkSync('/etc/passwd', path.join(place.folder, 'CLAUDE.md'))
      plainGit(place.folder, ['add', '-A'])
      commit(place)
    },
    silent: 'there is nothing to run',
  },
  {
    name: 'names with line ends, quotes, blanks and options',
    arm(place) {
      for (const name of ['a\nb', '"q"', "it's", ' ', '--help', '-rf', '$(x)', ':(glob)**', '\t', '*', '\u202e'])
        fs.writeFileSync(path.join(place.folder, name), `${name}\n`)
      plainGit(place.folder, ['add', '-A'])
      commit(place)
    },
    silent: 'there is nothing to run',
  },
  {
    name: '20,000 refs',
    arm(place) {
      const head = plainGit(place.folder, ['rev-parse', 'HEAD'])
      const lines = Array.from({ length: 20_000 }, (_, at) => `${head} refs/heads/many/${at}\n`)
      put(place, '.git/packed-refs', `# pack-refs with: peeled fully-peeled \n${lines.join('')}`)
    },
    silent: 'there is nothing to run',
  },
  {
    name: 'a branch whose name is a shell line',
    arm(place) {
      const name = `refs/heads/-x;touch\${IFS}${place.mark.slice(1)};$(touch\${IFS}${path.basename(place.mark)})`
      plainGit(place.folder, ['update-ref', name, 'HEAD'])
      plainGit(place.folder, ['symbolic-ref', 'HEAD', name])
    },
    silent: 'git runs no names; we might',
  },
  {
    name: 'replace refs that show another content',
    arm(place) {
      const other = plainGit(place.folder, ['hash-object', '-w', '--stdin'], 'replaced\n')
      plainGit(place.folder, [
        'update-ref',
        `refs/replace/${plainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])}`,
        other,
      ])
    },
    silent: 'there is nothing to run',
  },
  {
    name: 'grafts',
    arm: place =>
      put(place, '.git/info/grafts', `${plainGit(place.folder, ['rev-parse', 'HEAD'])} ${'1'.repeat(40)}\n`),
    silent: 'there is nothing to run',
  },
  {
    name: 'a shallow boundary that is not one',
    arm: place => put(place, '.git/shallow', `${plainGit(place.folder, ['rev-parse', 'HEAD'])}\n`),
    silent: 'there is nothing to run',
  },
  {
    name: 'a repository of somebody else’s (safe.directory)',
    arm(place) {
      configure(place, monitor(place))
      if (process.geteuid?.() === 0)
        for (const at of ['.git', '']) fs.chownSync(path.join(place.folder, at), 65534, 65534)
    },
    silent: 'git itself refuses to read it',
  },
]

// --- internal ---

/** A tree as no git would write it. */
function rawTree({ folder }: Place, entries: [mode: string, name: string, hash: string][]): string {
  const bytes = entries.map(([mode, name, hash]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(hash, 'hex')]),
  )
  return plainGit(folder, ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], Buffer.concat(bytes))
}

function standAt({ folder }: Place, tree: string): void {
  plainGit(folder, ['update-ref', 'HEAD', plainGit(folder, ['commit-tree', tree, '-p', 'HEAD', '-m', 'armed'])])
}

/** A folder of that name in the tree, with a file in it. */
function tree(name: string, entry: string): Kind {
  return {
    name,
    arm(place) {
      const blob = plainGit(place.folder, ['rev-parse', 'HEAD:a.txt'])
      standAt(place, rawTree(place, [['40000', entry, rawTree(place, [['100644', 'escaped', blob]])]]))
    },
    silent: 'what counts is that nothing is written outside of the tree',
  }
}
