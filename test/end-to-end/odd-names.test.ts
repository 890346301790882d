/** A session in a repository whose names have brackets, blanks, tabs and bytes that are not UTF-8. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { encodeName } from '#host/file-name.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn, write } from '#rehearsal/scenario.ts'
import { commitFolder, withRig } from '../fixtures/rig.ts'

const contract = `
# Contract: a page

## C1 — The page says hello
- covers: S1
- check: \`sh "test [x]/run.sh"\`
- pins: \`test [x]/*\`

## C2 — Only pages and their documents are touched
- scope: \`app/[id]/**\` \`docs/[...all]/**\`
`

const scenario: Scenario = {
  title: '',
  task: helloTask,
  orchestrator: [
    put('contract.md', contract),
    spawn('code --name page --clauses C1', 'Make the page say hello.'),
    spawn('rw --name docs --clauses C2 --files docs/[...all]/**', 'Write the notes.'),
    bash('wait-workers'),
    bash('submit'),
    heard => say(heard.lastText.slice(0, 200)),
  ],
  workers: {
    page: [
      bash(
        `echo hello >'app/[id]/page.txt'; printf x >"$(printf 'app/[id]/new\\351')"; echo y >>"$(printf 'app/[id]/caf\\351')"`,
      ),
      say('The page says hello. C1 holds.'),
    ],
    docs: [
      ({ folder }) => write(path.join(folder, 'docs/[...all]/notes.md'), 'It says hello.'),
      say('The notes are written.'),
    ],
  },
  endStates: ['PASS'],
}

it('brackets and bytes in names pass every gate and come home', () =>
  withRig(
    scenario,
    async rig => {
      const folder = path.join(rig.home, 'elsewhere/project')
      const files = {
        'app/[id]/page.txt': 'none\n',
        'app/[id]/caf\udce9': 'x\n',
        'caf\udce8\t"q" ': 'x\n',
        'docs/[...all]/old.md': 'x\n',
        'test [x]/run.sh': 'grep hello "app/[id]/page.txt"\n',
      }
      for (const [name, text] of Object.entries(files)) {
        fs.mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
        fs.writeFileSync(encodeName(path.join(folder, name)), text)
      }
      await commitFolder(folder)
      const ran = await rig.dispatch([helloTask, '--wait', '--repo', folder])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      const applied = await rig.dispatch(['apply', '--repo', folder, '--branch', 'work'])
      assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr)
      const diff = await runProgram('git', ['diff', '--name-only', 'HEAD', 'work'], { cwd: folder })
      assert.deepEqual(diff.stdout.trim().split('\n').sort(), [
        '"app/[id]/caf\\351"',
        '"app/[id]/new\\351"',
        'app/[id]/page.txt',
        'docs/[...all]/notes.md',
      ])
    },
    { ROUNDS: '1' },
  ))
