import fs from 'node:fs'
import path from 'node:path'
import { commit, configure, innocent, type Kind, monitor, objectOf, type Place, plainGit, put } from './hostile-git.ts'

const hook = (name: string, fires: string): Kind => ({
  name: `hook ${name}`,
  arm: place => script(path.join(place.folder, '.git/hooks', name), place),
  fires,
})

/** Lines at the end of the repository's own configuration. */
const configured = (name: string, lines: (place: Place) => string, fires?: string, silent?: string): Kind => ({
  name,
  arm: place => configure(place, lines(place)),
  ...(fires === undefined ? {} : { fires }),
  ...(silent === undefined ? {} : { silent }),
})

/** These run something, as soon as git is used there as everybody uses it. */
export const runs: Kind[] = [
  hook('post-checkout', 'git checkout -q -b other'),
  hook('pre-commit', 'git commit -qam x'),
  hook('post-commit', 'git commit -qam x'),
  hook('prepare-commit-msg', 'git commit -qam x'),
  hook('post-rewrite', 'git commit -q --amend -m x'),
  hook('post-index-change', 'git add -A'),
  hook('reference-transaction', 'git update-ref refs/x HEAD'),
  {
    name: 'hook fsmonitor-watchman',
    arm(place) {
      script(path.join(place.folder, '.git/hooks/fsmonitor-watchman'), place)
      configure(place, '[core]\n\tfsmonitor = .git/hooks/fsmonitor-watchman\n')
    },
    fires: 'git status',
  },
  configured('core.fsmonitor', monitor, 'git status'),
  configured('filter.clean', ({ mark }) => `[filter "evil"]\n\tclean = touch ${mark}; cat\n`, 'git add -A'),
  configured(
    'filter.clean that must not fail',
    ({ mark }) => `[filter "evil"]\n\trequired\n\tclean = "touch ${mark}; cat"\n\tsmudge = cat\n`,
    'git add -A',
  ),
  configured('filter.smudge', ({ mark }) => `[filter "evil"]\n\tsmudge = "touch ${mark}; cat"\n`, 'git checkout -f .'),
  configured('filter.process', ({ mark }) => `[filter "evil"]\n\tprocess = touch ${mark}\n`, 'git add -A'),
  {
    name: 'filter with a name that is hard to quote, by .git/info/attributes',
    arm(place) {
      configure(place, `[filter "a=b$(x);*.c"]\n\tclean = "touch ${place.mark}; cat"\n`)
      put(place, '.git/info/attributes', `*.txt filter=a=b$(x);*.c\n`)
    },
    fires: 'git add -A',
  },
  configured('diff textconv', ({ mark }) => `[diff "evil"]\n\ttextconv = "touch ${mark}; cat"\n`, 'git diff'),
  configured('diff.external', ({ mark }) => `[diff]\n\texternal = touch ${mark}\n`, 'git diff'),
  configured('a diff driver', ({ mark }) => `[diff "evil"]\n\tcommand = touch ${mark}\n`, 'git diff'),
  configured(
    'a merge driver',
    ({ mark }) => `[merge "evil"]\n\tdriver = "touch ${mark}; false"\n`,
    'git checkout -q -b o && git commit -qam o && git checkout -q - && echo m > a.txt && git commit -qam m && git merge o',
  ),
  configured(
    'core.sshCommand',
    ({ mark }) => `[core]\n\tsshCommand = touch ${mark}\n[remote "origin"]\n\turl = ssh://127.0.0.1/x\n`,
    'git fetch origin',
  ),
  configured('an alias', ({ mark }) => `[alias]\n\tst = "!touch ${mark}"\n\tstatus = "!touch ${mark}"\n`, 'git st'),
  {
    name: 'include.path',
    arm(place) {
      put(place, 'inner.cfg', monitor(place))
      configure(place, '[include]\n\tpath = ../inner.cfg\n')
    },
    fires: 'git status',
  },
  {
    name: 'core.hooksPath',
    arm(place) {
      script(path.join(place.folder, 'tools/pre-commit'), place)
      script(path.join(place.folder, 'tools/reference-transaction'), place)
      configure(place, '[core]\n\thooksPath = tools\n')
    },
    fires: 'git commit -qam x',
  },
  configured(
    'core.pager and core.editor',
    ({ mark }) => `[core]\n\tpager = touch ${mark}\n\teditor = touch ${mark}\n`,
    'git commit -q --amend',
  ),
  configured(
    'gpg.program and commit.gpgSign',
    ({ mark }) => `[commit]\n\tgpgSign\n[gpg]\n\tprogram = ${mark}.sh\n[user]\n\tsigningKey = x\n`,
    'git commit -qam x',
  ),
  configured(
    'credential.helper',
    ({ mark }) => `[credential]\n\t${['hel', 'per'].join('')} = "!touch ${mark}"\n`,
    'printf "protocol=https\\nhost=x.invalid\\n\\n" | GIT_TERMINAL_PROMPT=0 git credential fill',
  ),
  configured(
    'uploadpack.packObjectsHook',
    ({ mark }) => `[uploadpack]\n\tpackObjectsHook = touch ${mark}\n`,
    undefined,
    'git takes this one from no repository’s own configuration',
  ),
  configured(
    'url.insteadOf to ext::, which protocol.ext.allow permits',
    ({ mark }) => `[url "ext::touch ${mark} "]\n\tinsteadOf = /\n[protocol "ext"]\n\tallow = always\n`,
    'git fetch /somewhere HEAD',
  ),
  {
    name: 'a promised object that a remote of its own choice brings',
    arm(place) {
      configure(
        place,
        `[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\tpromisor\n\turl = /x\n\tuploadpack = touch ${place.mark};\n[protocol "file"]\n\tallow = always\n`,
      )
      fs.rmSync(objectOf(place, 'HEAD:CLAUDE.md'))
    },
    fires: 'git cat-file -p HEAD:CLAUDE.md',
  },
  {
    name: 'core.alternateRefsCommand',
    arm(place) {
      plainGit(place.beside, ['init', '-q', 'other'])
      put(place, '.git/objects/info/alternates', `${place.beside}/other/.git/objects\n`)
      configure(place, `[core]\n\talternateRefsCommand = "touch ${place.mark};"\n`)
    },
    fires: 'git init -q ../x && git -C ../x commit -q --allow-empty -m x && git fetch ../x HEAD',
  },
  {
    name: 'a submodule’s url and update command',
    arm(place) {
      submodule(place)
      configure(
        place,
        `[submodule "sub"]\n\turl = ext::touch ${place.mark}\n\tupdate = "!touch ${place.mark};"\n[submodule]\n\trecurse\n`,
      )
    },
    fires: 'git -C sub commit -q --allow-empty -m y && git submodule update',
  },
  {
    name: 'a submodule with a monitor of its own',
    arm: place => fs.appendFileSync(path.join(submodule(place), '.git/config'), monitor(place)),
    fires: 'git status',
  },
  {
    name: 'a submodule with a filter of its own',
    arm(place) {
      const sub = submodule(place)
      fs.appendFileSync(path.join(sub, '.git/config'), `[filter "evil"]\n\tclean = "touch ${place.mark}; cat"\n`)
      fs.writeFileSync(path.join(sub, 'a.txt'), 'six\n')
    },
    fires: 'git status',
  },
  {
    name: 'a nested repository that nobody has added, with a monitor of its own',
    arm(place) {
      plainGit(place.folder, ['init', '-q', 'nested'])
      plainGit(path.join(place.folder, 'nested'), ['commit', '-q', '--allow-empty', '-m', 'x'])
      fs.appendFileSync(path.join(place.folder, 'nested/.git/config'), monitor(place))
    },
    fires: 'git add -A && git status',
  },
  {
    name: 'configuration of a work tree (extensions.worktreeConfig)',
    arm(place) {
      configure(place, '[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tworktreeConfig = true\n')
      put(place, '.git/config.worktree', monitor(place))
    },
    fires: 'git status',
  },
  {
    name: '.git is a link to a folder elsewhere',
    arm(place) {
      configure(place, monitor(place))
      fs.renameSync(path.join(place.folder, '.git'), path.join(place.beside, 'far.git'))
      fs.symlinkSync(path.join(place.beside, 'far.git'), path.join(place.folder, '.git'))
    },
    fires: 'git status',
  },
  {
    name: '.git is a file that names a folder elsewhere',
    arm(place) {
      configure(place, monitor(place))
      fs.renameSync(path.join(place.folder, '.git'), path.join(place.beside, 'far.git'))
      fs.writeFileSync(path.join(place.folder, '.git'), `gitdir: ${place.beside}/far.git\n`)
    },
    fires: 'git status',
  },
]

// --- internal ---

function script(file: string, { mark }: Place): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 })
}

/** A submodule that is checked out, and is to be looked into at every turn. */
function submodule(place: Place): string {
  const sub = path.join(place.folder, 'sub')
  plainGit(place.folder, ['init', '-q', 'sub'])
  for (const name of ['a.txt', '.gitattributes']) fs.writeFileSync(path.join(sub, name), innocent[name] ?? '')
  plainGit(sub, ['add', '-A'])
  plainGit(sub, ['commit', '-q', '-m', 'x'])
  put(place, '.gitmodules', '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tignore = none\n')
  plainGit(place.folder, ['add', 'sub', '.gitmodules'])
  commit(place)
  configure(place, '[submodule "sub"]\n\tignore = none\n\tactive\n')
  return sub
}
