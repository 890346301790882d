import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { detectSandbox } from '#host/sandbox'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { commitFolder, type Rig, withRig } from '../fixtures/rig.ts'

const task = 'print the number that dep knows'

/** A check that needs the dependency, its program, and a file that git ignores. */
const contract = `
# Contract: the number of dep

## C1 — Running main.js prints what dep knows
- covers: S1
- check: \`deptool && . ./.env.test && test "$ANSWER" = 41 && cat "$DB_DIR/up" && node main.js\`
- expect: output contains \`dep says 41\`

## C2 — Nothing else is made
- scope: \`main.js\` \`package-lock.json\` \`package.json\`
`

const scenario: Scenario = {
  title: '',
  task,
  workers: {
    '*': [
      bash(
        'deptool > seen.txt && ls -A >> seen.txt && cat "$DB_DIR/up" "$RBENV_ROOT/version" >> seen.txt && mkdir -p "$GOCACHE" && mv seen.txt "$DISPATCH_FOLDER/"',
      ),
      put('main.js', "console.log('dep says', require('dep'))"),
      say('main.js prints what dep knows.'),
    ],
  },
  orchestrator: [
    put('contract.md', contract),
    spawn('code --name code --clauses C1', 'Write main.js: it prints "dep says" and what require("dep") gives.'),
    bash('wait-workers'),
    bash('submit'),
    heard => say(heard.lastText.slice(0, 200)),
  ],
  endStates: ['PASS'],
}

/** A project with a dependency that needs no network, a lock file, an ignored file, and its own instructions. */
async function createProject(rig: Rig, changes: Record<string, string> = {}): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  const files: Record<string, string> = {
    'package.json': '{"name":"p","version":"1.0.0","dependencies":{"dep":"file:dep"}}',
    'package-lock.json': JSON.stringify({
      name: 'p',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'p', version: '1.0.0', dependencies: { dep: 'file:dep' } },
        dep: { version: '1.0.0', bin: { deptool: 'i.js' } },
        'node_modules/dep': { resolved: 'dep', link: true },
      },
    }),
    'dep/package.json': '{"name":"dep","version":"1.0.0","main":"i.js","bin":{"deptool":"i.js"}}',
    'dep/i.js': '#!/usr/bin/env node\nmodule.exports = 41\nif (require.main === module) console.log("tool 41")\n',
    '.gitignore': 'node_modules\n.env.test\n',
    '.env.test': 'ANSWER=41\n',
    'CLAUDE.md': '# House rules\nWe write plain_javascript_only here.\n',
    'deep/AGENTS.md': 'deeper rules\n',
    '.claude/settings.json': '{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"touch /tmp/never"}]}]}}',
    '.claude/commands/x.md': 'x',
    '.dispatch.json': JSON.stringify({
      setup: ['echo run >> "$HOME/../../../runs"; npm ci --offline'],
      lockfiles: ['package-lock.json'],
      files: ['.env.test'],
      services: [
        {
          name: 'db',
          command: 'echo "db is up" > "$DB_DIR/up"; exec sleep 600',
          ready: 'test -s "$DB_DIR/up"',
        },
      ],
    }),
    ...changes,
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text, { mode: name.endsWith('.js') ? 0o755 : 0o644 })
  }
  // A version manager of the user's, whose programs find their versions by HOME.
  fs.mkdirSync(path.join(rig.home, 'home/.rbenv'))
  fs.writeFileSync(path.join(rig.home, 'home/.rbenv/version'), 'ruby of the user\n')
  fs.symlinkSync('CLAUDE.md', path.join(folder, 'AGENTS.md'))
  return commitFolder(folder)
}

/** How each installation of the session's dependencies ended. */
function listResults(rig: Rig): string[] {
  return rig.readEvents().flatMap(event => (event.type === 'dependencies.ended' ? [event.result] : []))
}

describe('a repository with dependencies', { concurrency: 2 }, () => {
  it('is installed once per lock file, for workers and checks', () =>
    withRig(scenario, async rig => {
      const cwd = await createProject(rig)
      const unconfirmed = await rig.dispatch([task], { cwd })
      assert.equal(unconfirmed.exitCode, 5, unconfirmed.stderr)
      assert.equal((await rig.dispatch(['prepare', '--yes'], { cwd })).exitCode, 0)

      // As in a shell with an activated environment of the checkout: its programs fail in workers and checks.
      const activated = path.join(cwd, 'venv/bin')
      fs.mkdirSync(activated, { recursive: true })
      fs.writeFileSync(path.join(activated, 'cat'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
      const env = { PATH: `${activated}:${process.env['PATH']}` }
      const ran = await rig.dispatch([task, '--wait'], { cwd, env })
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.match(ran.stdout, /venv\/bin is in your checkout/)
      assert.equal(listResults(rig)[0], 'made')
      const { paths } = rig.readSession()
      const seen = fs.readFileSync(path.join(paths.workers, 'code/seen.txt'), 'utf8')
      assert.match(seen, /tool 41/)
      assert.match(seen, /ruby of the user/)
      assert.match(seen, /db is up/)
      for (const name of ['node_modules', '.env.test']) assert.ok(seen.split('\n').includes(name), name)
      const listed = await runProgram('git', ['ls-tree', '-r', '--name-only', 'judged'], { cwd: paths.bareRepository })
      assert.doesNotMatch(listed.stdout, /node_modules|\.env\.test/)

      const again = await rig.dispatch([task, '--wait'], { cwd })
      assert.equal(again.exitCode, 0, again.stdout + again.stderr)
      assert.ok(listResults(rig).every(result => result === 'cached'))
      const prepared = path.join(rig.home, 'dispatch/prepared')
      assert.equal(fs.readFileSync(path.join(prepared, '../runs'), 'utf8'), 'run\n', 'the commands ran again')

      const [request] = rig.models.requests.filter(({ role }) => role === 'orchestrator')
      assert.match(request?.body ?? '', /plain_javascript_only/)
      assert.match(request?.body ?? '', /deep\/AGENTS\.md/)
      const worker = rig.models.requests.find(
        ({ role, body }) => role !== 'orchestrator' && body.includes('plain_javascript_only'),
      )
      assert.ok(worker, 'no worker received the instructions')
      assert.equal((request?.body.match(/plain_javascript_only/g) ?? []).length, 1, 'the link to it was sent too')
      const shown = (await rig.dispatch(['show'])).stdout
      assert.match(shown, /ignored +\.claude\/settings\.json, \.claude\/commands\/ \(1 file\)/)
      assert.match(shown, /agents get +CLAUDE\.md/)
    }))

  it('dependencies are installed again for a changed lock file', () => {
    const bump = bash(
      `node -e "const f=require('fs'),l=JSON.parse(f.readFileSync('package-lock.json'));l.version='1.0.1';f.writeFileSync('package-lock.json',JSON.stringify(l));f.writeFileSync('package.json',f.readFileSync('package.json','utf8').replace('1.0.0','1.0.1'))"`,
    )
    return withRig({ ...scenario, workers: { '*': [bump, ...(scenario.workers['*'] ?? [])] } }, async rig => {
      const cwd = await createProject(rig)
      await rig.dispatch(['prepare', '--yes'], { cwd })
      const ran = await rig.dispatch([task, '--wait'], { cwd })
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      const ended = rig.readEvents().flatMap(event => (event.type === 'dependencies.ended' ? [event] : []))
      assert.equal(new Set(ended.map(({ cacheKey }) => cacheKey)).size, 2)
      assert.equal(fs.readFileSync(path.join(rig.home, 'dispatch/runs'), 'utf8'), 'run\nrun\n')
    })
  })

  it('a failed setup seals nothing and asks the human', () =>
    withRig(
      {
        ...scenario,
        orchestrator: [
          put('contract.md', contract),
          bash('contract check'),
          heard =>
            bash(
              `ask "the setup fails: $(printf '%s' '${heard.lastText.includes('only the human can fix this') ? 'with a reason' : 'without a reason'}')"`,
            ),
          say('I wait.'),
        ],
      },
      async rig => {
        const cwd = await createProject(rig, {
          '.dispatch.json': JSON.stringify({
            setup: ['echo no such registry >&2; exit 3'],
            lockfiles: ['package-lock.json'],
          }),
        })
        await rig.dispatch(['prepare', '--yes'], { cwd })
        const ran = await rig.dispatch([task, '--wait'], { cwd })
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.deepEqual(listResults(rig), ['failed'])
        assert.match(rig.readStatus().question ?? '', /with a reason/)
        assert.ok(!rig.readEvents().some(event => event.type === 'contract.sealed' || event.type === 'check.ran'))
      },
    ))

  it('prepare shows whether its commands run in a sandbox', () =>
    withRig(scenario, async rig => {
      const cwd = await createProject(rig)
      const detected = await detectSandbox()
      const isolatedPattern = /run in a sandbox \(bubblewrap\)/
      const openPattern = /No sandbox \(([^)]*)\): these commands run with your rights and can reach any host/
      const prepare = async (SANDBOX: string) =>
        (await rig.dispatch(['prepare', '--yes'], { cwd, env: { SANDBOX } })).stdout
      for (const SANDBOX of ['auto', 'required']) {
        const stdout = await prepare(SANDBOX)
        if ('kind' in detected) assert.match(stdout, isolatedPattern)
        else assert.equal(openPattern.exec(stdout)?.[1], detected.problem)
      }
      assert.equal(openPattern.exec(await prepare('off'))?.[1], 'SANDBOX=off')
    }))

  it('a broken project file or a missing listed file is exit 2', () =>
    withRig(scenario, async rig => {
      const cwd = await createProject(rig, {
        '.dispatch.json': '{\n  "setup": "npm ci",\n  "files": ["../x"],\n  "nope": 1\n}',
      })
      const ran = await rig.dispatch([task], { cwd })
      assert.equal(ran.exitCode, 2)
      for (const pattern of [
        /line 2: setup: /,
        /line 3: files\.0: must be a path from the top/,
        /line 4: nope: unknown key; use setup/,
      ])
        assert.match(ran.stderr, pattern)
      fs.writeFileSync(path.join(cwd, '.dispatch.json'), '{"files": [".env.absent"]}')
      await rig.dispatch(['prepare', '--yes'], { cwd })
      const absent = await rig.dispatch([task], { cwd })
      assert.equal(absent.exitCode, 2)
      assert.match(absent.stderr, /lists \.env\.absent, but .* is not a file/)
    }))
})
