import fs from 'node:fs'
import path from 'node:path'
import {
  appendGitConfig,
  buildFsmonitorConfig,
  commitAll,
  findLooseObject,
  type HostileRepository,
  type HostileRepositoryPaths,
  innocentFiles,
  runPlainGit,
  writeWorkFile,
} from './hostile-git.ts'

const hook = (name: string, trigger: string): HostileRepository => ({
  name: `hook ${name}`,
  arm: place => script(path.join(place.folder, '.git/hooks', name), place),
  trigger,
})

/** Lines at the end of the repository's own configuration. */
const configured = (
  name: string,
  lines: (place: HostileRepositoryPaths) => string,
  trigger?: string,
  silentReason?: string,
): HostileRepository => ({
  name,
  arm: place => appendGitConfig(place, lines(place)),
  ...(trigger === undefined ? {} : { trigger }),
  ...(silentReason === undefined ? {} : { silentReason }),
})

/** These run something, as soon as git is used there as everybody uses it. */
export const executingRepositories: HostileRepository[] = [
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
      appendGitConfig(place, '[core]\n\tfsmonitor = .git/hooks/fsmonitor-watchman\n')
    },
    trigger: 'git status',
  },
  configured('core.fsmonitor', buildFsmonitorConfig, 'git status'),
  configured('filter.clean', ({ markFile }) => `[filter "evil"]\n\tclean = touch ${markFile}; cat\n`, 'git add -A'),
  configured(
    'filter.clean that must not fail',
    ({ markFile }) => `[filter "evil"]\n\trequired\n\tclean = "touch ${markFile}; cat"\n\tsmudge = cat\n`,
    'git add -A',
  ),
  configured(
    'filter.smudge',
    ({ markFile }) => `[filter "evil"]\n\tsmudge = "touch ${markFile}; cat"\n`,
    'git checkout -f .',
  ),
  configured('filter.process', ({ markFile }) => `[filter "evil"]\n\tprocess = touch ${markFile}\n`, 'git add -A'),
  {
    name: 'filter with a name that is hard to quote, by .git/info/attributes',
    arm(place) {
      appendGitConfig(place, `[filter "a=b$(x);*.c"]\n\tclean = "touch ${place.markFile}; cat"\n`)
      writeWorkFile(place, '.git/info/attributes', `*.txt filter=a=b$(x);*.c\n`)
    },
    trigger: 'git add -A',
  },
  configured('diff textconv', ({ markFile }) => `[diff "evil"]\n\ttextconv = "touch ${markFile}; cat"\n`, 'git diff'),
  configured('diff.external', ({ markFile }) => `[diff]\n\texternal = touch ${markFile}\n`, 'git diff'),
  configured('a diff driver', ({ markFile }) => `[diff "evil"]\n\tcommand = touch ${markFile}\n`, 'git diff'),
  configured(
    'a merge driver',
    ({ markFile }) => `[merge "evil"]\n\tdriver = "touch ${markFile}; false"\n`,
    'git checkout -q -b o && git commit -qam o && git checkout -q - && echo m > a.txt && git commit -qam m && git merge o',
  ),
  configured(
    'core.sshCommand',
    ({ markFile }) => `[core]\n\tsshCommand = touch ${markFile}\n[remote "origin"]\n\turl = ssh://127.0.0.1/x\n`,
    'git fetch origin',
  ),
  configured(
    'an alias',
    ({ markFile }) => `[alias]\n\tst = "!touch ${markFile}"\n\tstatus = "!touch ${markFile}"\n`,
    'git st',
  ),
  {
    name: 'include.path',
    arm(place) {
      writeWorkFile(place, 'inner.cfg', buildFsmonitorConfig(place))
      appendGitConfig(place, '[include]\n\tpath = ../inner.cfg\n')
    },
    trigger: 'git status',
  },
  {
    name: 'core.hooksPath',
    arm(place) {
      script(path.join(place.folder, 'tools/pre-commit'), place)
      script(path.join(place.folder, 'tools/reference-transaction'), place)
      appendGitConfig(place, '[core]\n\thooksPath = tools\n')
    },
    trigger: 'git commit -qam x',
  },
  configured(
    'core.pager and core.editor',
    ({ markFile }) => `[core]\n\tpager = touch ${markFile}\n\teditor = touch ${markFile}\n`,
    'git commit -q --amend',
  ),
  configured(
    'gpg.program and commit.gpgSign',
    ({ markFile }) => `[commit]\n\tgpgSign\n[gpg]\n\tprogram = ${markFile}.sh\n[user]\n\tsigningKey = x\n`,
    'git commit -qam x',
  ),
  configured(
    'credential.helper',
    ({ markFile }) => `[credential]\n\t${['hel', 'per'].join('')} = "!touch ${markFile}"\n`,
    'printf "protocol=https\\nhost=x.invalid\\n\\n" | GIT_TERMINAL_PROMPT=0 git credential fill',
  ),
  configured(
    'uploadpack.packObjectsHook',
    ({ markFile }) => `[uploadpack]\n\tpackObjectsHook = touch ${markFile}\n`,
    undefined,
    'git takes this one from no repository’s own configuration',
  ),
  configured(
    'url.insteadOf to ext::, which protocol.ext.allow permits',
    ({ markFile }) => `[url "ext::touch ${markFile} "]\n\tinsteadOf = /\n[protocol "ext"]\n\tallow = always\n`,
    'git fetch /somewhere HEAD',
  ),
  {
    name: 'a promised object that a remote of its own choice brings',
    arm(place) {
      appendGitConfig(
        place,
        `[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\tpromisor\n\turl = /x\n\tuploadpack = touch ${place.markFile};\n[protocol "file"]\n\tallow = always\n`,
      )
      fs.rmSync(findLooseObject(place, 'HEAD:CLAUDE.md'))
    },
    trigger: 'git cat-file -p HEAD:CLAUDE.md',
  },
  {
    name: 'core.alternateRefsCommand',
    arm(place) {
      runPlainGit(place.siblingFolder, ['init', '-q', 'other'])
      writeWorkFile(place, '.git/objects/info/alternates', `${place.siblingFolder}/other/.git/objects\n`)
      appendGitConfig(place, `[core]\n\talternateRefsCommand = "touch ${place.markFile};"\n`)
    },
    trigger: 'git init -q ../x && git -C ../x commit -q --allow-empty -m x && git fetch ../x HEAD',
  },
  {
    name: 'a submodule’s url and update command',
    arm(place) {
      submodule(place)
      appendGitConfig(
        place,
        `[submodule "sub"]\n\turl = ext::touch ${place.markFile}\n\tupdate = "!touch ${place.markFile};"\n[submodule]\n\trecurse\n`,
      )
    },
    trigger: 'git -C sub commit -q --allow-empty -m y && git submodule update',
  },
  {
    name: 'a submodule with a monitor of its own',
    arm: place => fs.appendFileSync(path.join(submodule(place), '.git/config'), buildFsmonitorConfig(place)),
    trigger: 'git status',
  },
  {
    name: 'a submodule with a filter of its own',
    arm(place) {
      const sub = submodule(place)
      fs.appendFileSync(path.join(sub, '.git/config'), `[filter "evil"]\n\tclean = "touch ${place.markFile}; cat"\n`)
      fs.writeFileSync(path.join(sub, 'a.txt'), 'six\n')
    },
    trigger: 'git status',
  },
  {
    name: 'a nested repository that nobody has added, with a monitor of its own',
    arm(place) {
      runPlainGit(place.folder, ['init', '-q', 'nested'])
      runPlainGit(path.join(place.folder, 'nested'), ['commit', '-q', '--allow-empty', '-m', 'x'])
      fs.appendFileSync(path.join(place.folder, 'nested/.git/config'), buildFsmonitorConfig(place))
    },
    trigger: 'git add -A && git status',
  },
  {
    name: 'configuration of a work tree (extensions.worktreeConfig)',
    arm(place) {
      appendGitConfig(place, '[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tworktreeConfig = true\n')
      writeWorkFile(place, '.git/config.worktree', buildFsmonitorConfig(place))
    },
    trigger: 'git status',
  },
  {
    name: '.git is a link to a folder elsewhere',
    arm(place) {
      appendGitConfig(place, buildFsmonitorConfig(place))
      fs.renameSync(path.join(place.folder, '.git'), path.join(place.siblingFolder, 'far.git'))
      fs.symlinkSync(path.join(place.siblingFolder, 'far.git'), path.join(place.folder, '.git'))
    },
    trigger: 'git status',
  },
  {
    name: '.git is a file that names a folder elsewhere',
    arm(place) {
      appendGitConfig(place, buildFsmonitorConfig(place))
      fs.renameSync(path.join(place.folder, '.git'), path.join(place.siblingFolder, 'far.git'))
      fs.writeFileSync(path.join(place.folder, '.git'), `gitdir: ${place.siblingFolder}/far.git\n`)
    },
    trigger: 'git status',
  },
]

// --- internal ---

function script(file: string, { markFile }: HostileRepositoryPaths): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, `#!/bin/sh\ntouch ${markFile}\n`, { mode: 0o755 })
}

/** A submodule that is checked out, and is to be looked into at every turn. */
function submodule(place: HostileRepositoryPaths): string {
  const sub = path.join(place.folder, 'sub')
  runPlainGit(place.folder, ['init', '-q', 'sub'])
  for (const name of ['a.txt', '.gitattributes']) fs.writeFileSync(path.join(sub, name), innocentFiles[name] ?? '')
  runPlainGit(sub, ['add', '-A'])
  runPlainGit(sub, ['commit', '-q', '-m', 'x'])
  writeWorkFile(place, '.gitmodules', '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tignore = none\n')
  runPlainGit(place.folder, ['add', 'sub', '.gitmodules'])
  commitAll(place)
  appendGitConfig(place, '[submodule "sub"]\n\tignore = none\n\tactive\n')
  return sub
}
