/** One session on a repository whose build asks git, with a submodule, Git LFS and git-crypt, from the start to `apply`. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { sha256 } from '#host/hash.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { withRig } from '../fixtures/rig.ts'
import { whyNoSandbox } from '../fixtures/skip-reasons.ts'
import { isTimeUp } from './select-cases.ts'

/** A machine that is busy with other tests takes long. */
const VERDICT_SECONDS = 600

const contract = `
# Contract: a picture

## C1 — There is a picture, and the version comes from git
- covers: S1
- check: \`git status --porcelain; git submodule update --init; git describe --tags; cat lib/lib.mk; wc -c <here.bin; wc -c <new.bin\`
- expect: output matches \`v1\\.2\\.0-1-g[0-9a-f]+\\nX = 1\\n6000\\n5000\`
`

const scenario: Scenario = {
  title: '',
  task: 'add a picture',
  workers: {
    first: [
      bash('git describe --tags && git status --porcelain && cat lib/lib.mk && wc -c <here.bin'),
      bash('yes made | head -n 1000 >new.bin && git add new.bin && git commit -qm picture'),
      bash(
        'echo X = 2 >lib/lib.mk && mkdir -p secret && echo plain >secret/key && git add secret && git commit -qm key',
      ),
      say('new.bin is there.'),
    ],
    second: [
      bash('git submodule update --force && git reset -q --hard HEAD~1 && git status --porcelain'),
      say('The submodule and secret/ are as they were.'),
    ],
  },
  orchestrator: [
    put('contract.md', contract),
    spawn('code --name first --clauses C1', 'Write new.bin.'),
    bash('wait-workers'),
    bash('submit'),
    spawn('code --name second --clauses C1', 'Undo what was refused.'),
    bash('wait-workers'),
    bash('submit'),
    heard => say(heard.lastText.slice(0, 200)),
  ],
  endStates: ['PASS'],
}

/** Create a repository with a tag, a submodule, a large file in Git LFS, and a folder of git-crypt. Returns its folder. */
async function createProject(home: string): Promise<string> {
  const folder = path.join(home, 'elsewhere/project')
  const large = 'large\n'.repeat(1000)
  const object = path.join(
    folder,
    '.git/lfs/objects',
    ...[/^../, /(?<=^..)../, /.*/].map(part => part.exec(sha256(large))?.[0] ?? ''),
  )
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(large)}\nsize ${large.length}\n`
  const attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\nsecret/** filter=git-crypt diff=git-crypt\n'
  for (const name of ['lib', folder, path.dirname(object)])
    fs.mkdirSync(path.resolve(home, 'elsewhere', name), { recursive: true })
  fs.writeFileSync(object, large)
  fs.writeFileSync(path.join(folder, 'here.bin'), pointer)
  fs.writeFileSync(path.join(folder, '.gitattributes'), attributes)
  const identity = 'git config user.name u; git config user.email u@localhost'
  const commands = [
    `cd lib; git init -q; ${identity}; echo X = 1 >lib.mk; git add .; git commit -qm lib; cd ../project`,
    `git init -q; ${identity}; git submodule --quiet add ../lib lib; git add .; git commit -qm one; git tag v1.2.0`,
  ]
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'file' }
  const made = await runProgram('/bin/sh', ['-ec', commands.join('; ')], { cwd: path.dirname(folder), env })
  assert.equal(made.exitCode, 0, made.stderr)
  return folder
}

it('a build that asks git, a submodule, Git LFS and git-crypt, from the start to apply', {
  skip: whyNoSandbox,
}, async test => {
  if (isTimeUp(test)) return
  await withRig(
    scenario,
    async rig => {
      const folder = await createProject(rig.home)
      const started = await rig.dispatch(['add a picture', '--no-wait'], { cwd: folder })
      assert.equal(started.exitCode, 0, started.stderr)
      const verdict = await rig.waitUntil('a verdict', () => rig.readStatus().verdict, VERDICT_SECONDS)
      const replies = rig.models.requests.map(({ body }) => body).join('\n')
      assert.equal(verdict.verdict, 'PASS', verdict.reason)
      assert.match(replies, /these files belong to a submodule[^"]*lib\/lib\.mk/)
      assert.match(replies, /v1\.2\.0\\nX = 1\\n6000/, 'a worker sees the same')
      const { outputs } = rig.readSession().paths
      const commit = fs.readFileSync(path.join(outputs, '.git', 'HEAD'), 'utf8')
      assert.match(commit, /^ref: refs\/heads\/dispatch\//)
      const applied = await rig.dispatch(['apply'], { cwd: folder })
      assert.equal(applied.exitCode, 0, applied.stderr)
      const made = 'made\n'.repeat(1000)
      const object = fs.readdirSync(path.join(folder, '.git/lfs/objects'), { recursive: true, encoding: 'utf8' })
      assert.ok(
        object.some(name => name.endsWith(sha256(made))),
        object.join(),
      )
    },
    { SANDBOX: 'required' },
  )
})
