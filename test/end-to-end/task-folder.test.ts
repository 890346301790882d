/** Where a task begins: the folders that are refused before anything is made, and a repository of another user. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { commitFolder, helloScenario, idleScenario, type Rig, withRig } from '../fixtures/rig.ts'

const whyNotRoot = process.geteuid?.() === 0 ? false : 'only root can give a file to another user'
const OTHER_UID = 65_534

async function createRepository(rig: Rig): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(path.join(folder, 'deep'), { recursive: true })
  for (const name of ['a.txt', 'deep/b.txt', 'deep/AGENTS.md', 'deep/.dispatch.json'])
    fs.writeFileSync(path.join(folder, name), 'a\n')
  return commitFolder(folder)
}

function listSessionFolders(rig: Rig): string[] {
  const workspace = path.join(rig.home, 'dispatch/workspace')
  return fs.existsSync(workspace) ? fs.readdirSync(workspace) : []
}

describe('where a task begins', { concurrency: 2 }, () => {
  it('a folder with files, above repositories or with a bare one is exit 2, and --no-repo begins', () =>
    withRig(idleScenario, async rig => {
      const repository = await createRepository(rig)
      const bare = path.join(rig.home, 'elsewhere2')
      const sources = path.join(rig.home, 'sources')
      for (const folder of [bare, sources]) fs.mkdirSync(folder)
      fs.writeFileSync(path.join(sources, 'main.c'), '')
      await runProgram('git', ['clone', '-q', '--bare', repository, path.join(bare, '.bare')])
      fs.writeFileSync(path.join(bare, '.git'), 'gitdir: ./.bare\n')
      const cases: [cwd: string, expected: RegExp][] = [
        [path.join(rig.home, 'elsewhere'), /contains some\n.*--repo: project.*--no-repo/],
        [bare, /no files of it are checked out here\n.*--no-repo/],
        [sources, /has files, but is no git repository[^\n]*\n.*git init.*--no-repo/],
      ]
      for (const [cwd, expected] of cases) {
        const refused = await rig.dispatch(['do it'], { cwd })
        assert.equal(refused.exitCode, 2, refused.stdout)
        assert.match(refused.stderr, expected)
      }
      assert.deepEqual(listSessionFolders(rig), [])
      const started = await rig.dispatch(['do it', '--no-repo'], { cwd: sources })
      assert.equal(started.exitCode, 0, started.stderr)
    }))

  it('a repository of another user is exit 2, and works once it is trusted', { skip: whyNotRoot }, () =>
    withRig(
      helloScenario,
      async rig => {
        const folder = await createRepository(rig)
        await runProgram('chown', ['-R', String(OTHER_UID), folder])
        const cwd = path.join(folder, 'deep')
        const refused = await rig.dispatch([helloTask], { cwd })
        assert.equal(refused.exitCode, 2, refused.stdout)
        assert.match(
          refused.stderr,
          /belongs to another user \(uid 65534\)\n.*`git config --global --add safe\.directory \S+`/,
        )
        assert.deepEqual(listSessionFolders(rig), [])
        const [, command = ''] = /`(git config [^`]+)`/.exec(refused.stderr) ?? []
        assert.equal((await runProgram('/bin/sh', ['-c', command], { env: rig.environment })).exitCode, 0)
        const ran = await rig.dispatch([helloTask, '--wait'], { cwd })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /, started in deep/)
        assert.match(ran.stdout, /deep\/\.dispatch\.json is not read/)
        const [sid = ''] = listSessionFolders(rig)
        const files = path.join(rig.home, 'dispatch/workspace', sid)
        for (const agent of ['.', 'workers/hello']) {
          const prompt = fs.readFileSync(path.join(files, agent, 'system-prompt.md'), 'utf8')
          assert.match(prompt, /The human started in deep,[\s\S]*<repository>\n# deep\/AGENTS\.md\n\na\n<\/repository>/)
        }
        const applied = await rig.dispatch(['apply'], { cwd })
        assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr)
      },
      { ROUNDS: '1' },
    ),
  )
})
