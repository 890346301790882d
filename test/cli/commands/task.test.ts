import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { commitFolder, idleScenario, type Rig, withRig } from '../../fixtures/rig.ts'
import { runInScript } from '../../fixtures/run-at-terminal.ts'

const nasty = `it's "quoted" $(touch X) \`touch X\` #(touch X) #{pane_id} !! %s \\n \\ {{task}} <% %>\r\nsecond line\ttab\n\n👩‍👩‍👧 مرحبا ${'z'.repeat(3000)} --\n<!-- --> a;`

function listSessionFolders(rig: Rig): string[] {
  const workspace = path.join(rig.home, 'dispatch/workspace')
  return fs.existsSync(workspace) ? fs.readdirSync(workspace) : []
}

/** The system prompt of the orchestrator's first request. */
async function readInstructions(rig: Rig): Promise<string> {
  const request = await rig.waitUntil('the first request', () =>
    rig.models.requests.find(seen => seen.role === 'orchestrator'),
  )
  const { system } = JSON.parse(request.body) as { system: { text: string }[] }
  return system.map(block => block.text).join('\n')
}

describe('a task reaches the disk and the agent byte for byte', { concurrency: 2 }, () => {
  const needle = `find the needle-7f3a in here\n${nasty}\n\n`
  const million = `${'0123456789abcdef'.repeat(65_535)}… and the end;`
  const ways: [string, (rig: Rig) => Promise<{ exitCode: number | undefined; stderr: string }>, string][] = [
    ['as an argument', rig => rig.dispatch([nasty]), nasty],
    ['as an argument that begins with a dash', rig => rig.dispatch(['--', '-rf / ; --help']), '-rf / ; --help'],
    ['from standard input, with its last line breaks', rig => rig.dispatch(['-'], { input: needle }), needle],
    [
      'from a file of 1 MiB to the byte',
      rig => {
        fs.writeFileSync(path.join(rig.home, 'task'), million)
        return rig.dispatch(['--file', path.join(rig.home, 'task')])
      },
      million,
    ],
  ]
  for (const [name, start, task] of ways) {
    it(name, () =>
      withRig(idleScenario, async rig => {
        const ran = await start(rig)
        assert.equal(ran.exitCode, 0, ran.stderr)
        assert.ok(fs.readFileSync(rig.readSession().paths.task).equals(Buffer.from(task)))
        assert.ok((await readInstructions(rig)).includes(task), 'the task is not in the instructions')
        assert.deepEqual(fs.readdirSync(path.join(rig.home, 'elsewhere')), [], 'the shell ran a part of the task')
        const commands = rig
          .listProcesses()
          .map(({ command }) => command)
          .join('\n')
        assert.ok(commands.includes('claude'))
        assert.ok(!commands.includes('needle-7f3a in'), 'a part of the task is in the arguments of a process')
      }),
    )
  }
})

it('an invalid task or option is exit 2 and leaves no session', () =>
  withRig(idleScenario, async rig => {
    const big = path.join(rig.home, 'big')
    fs.writeFileSync(big, Buffer.alloc(1024 * 1024 + 1, 'a'))
    const cases: [string[], RegExp, Uint8Array?][] = [
      [[''], /is empty/],
      [['   \n\t '], /is empty/],
      [['-'], /standard input is empty/, Buffer.from('')],
      [['-'], /NUL byte \(at 3\)/, Buffer.from('abc\0def')],
      [['--file', big], /1048577 bytes/],
      [['--file', path.join(rig.home, 'absent')], /absent does not exist/],
      [['fix', 'the', 'login'], /3 words[\s\S]*quotes/],
      [['--file', big, 'and words'], /given twice/],
      [['lss'], /dispatch ls/],
      [['status', '--json'], /no command "status"/],
      [['--wait', 'run'], /no command "run"/],
      [['list', '--model', 'opus'], /no command "list"/],
      [['do it', '--queue', '--wait'], /--wait is for a start now/],
      [['do it', '--queue', '--no-wait'], /--no-wait is for a start now/],
      [['do it', '--queue', '--force'], /--force is for a start now/],
      [['do it', '--frobnicate'], /--frobnicate/],
      [['do it', '--repo', path.join(rig.home, 'absent')], /not a git repository/],
      [['do it', '--repo', rig.home, '--no-repo'], /contradict/],
      [['do it', '--model', ''], /--model has no name/],
    ]
    for (const [args, expected, input] of cases) {
      const ran = await rig.dispatch(args, input ? { input } : {})
      assert.equal(ran.exitCode, 2, `${args.join(' ').slice(0, 40)}: ${ran.stdout}${ran.stderr}`)
      assert.match(ran.stderr, expected)
    }
    assert.deepEqual(listSessionFolders(rig), [])
  }))

it('without git or tmux it is exit 6 with the install command', () =>
  withRig(idleScenario, async rig => {
    const bin = path.join(rig.home, 'bin')
    fs.mkdirSync(bin)
    for (const name of ['readlink', 'sh', 'tmux']) fs.symlinkSync(`/usr/bin/${name}`, path.join(bin, name))
    for (const [absent, expected] of [
      ['git', /git is not installed[\s\S]*apt-get install git/],
      ['tmux', /git and tmux are not installed[\s\S]*apt-get install git tmux/],
    ] as const) {
      fs.rmSync(path.join(bin, absent), { force: true })
      const ran = await rig.dispatch(['do it now'], { env: { PATH: bin } })
      assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr)
      assert.match(ran.stderr, expected)
      assert.deepEqual(listSessionFolders(rig), [])
    }
  }))

describe('a failed start says why and leaves nothing running', { concurrency: 2 }, () => {
  const claudes: [string, string, number, RegExp][] = [
    ['claude is not logged in', 'echo "Not logged in · Please run /login"; sleep 600', 7, /not logged in/],
    ['claude asks about trust', 'echo "Do you trust the files in this folder?"; sleep 600', 7, /trust the folder/],
    // On a busy machine tmux may close a terminal before the kernel has passed on what was written a moment before its end.
    [
      'claude ends at once',
      'echo "illegal instruction"; sleep 1; exit 132',
      6,
      /ended at once[\s\S]*illegal instruction/,
    ],
    ['claude shows nothing', 'sleep 600', 124, /no sign of a first turn in 4 s/],
  ]
  for (const [name, script, exitCode, expected] of claudes) {
    it(name, () =>
      withRig(
        idleScenario,
        async rig => {
          fs.mkdirSync(path.join(rig.home, 'bin'))
          fs.writeFileSync(
            path.join(rig.home, 'bin/claude'),
            `#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\n${script}\n`,
            { mode: 0o755 },
          )
          const ran = await rig.dispatch(['do it'], { env: { PATH: `${rig.home}/bin:${rig.environment['PATH']}` } })
          assert.equal(ran.exitCode, exitCode, ran.stderr)
          assert.match(ran.stderr, expected)
          await rig.waitUntil('its processes are gone', () =>
            rig.listProcesses().every(({ command }) => !command.includes('claude') && !command.includes('runner')),
          )
          assert.equal(rig.readStatus().phase, 'failed')
        },
        exitCode === 124 ? { START_TIMEOUT_SEC: '4' } : {}, // The others end on what claude shows.
      ),
    )
  }
})

it('an own login needs the trust entry, which setup adds', () =>
  withRig(idleScenario, async rig => {
    const config = path.join(rig.home, 'home/.claude.json')
    const before = {
      numStartups: 4,
      projects: { '/elsewhere': { allowedTools: [] } },
      oauthAccount: { emailAddress: 'a@b' },
    }
    fs.writeFileSync(config, JSON.stringify(before))
    const env = { ANTHROPIC_API_KEY: '' }
    const refused = await rig.dispatch(['do it'], { env })
    assert.equal(refused.exitCode, 7)
    assert.match(refused.stderr, /dispatch setup/)
    assert.equal(
      (await rig.dispatch(['setup'], { env })).exitCode,
      2,
      'it must not write without a terminal and without --yes',
    )
    const done = await rig.dispatch(['setup', '--yes'], { env })
    assert.match(done.stdout, /hasTrustDialogAccepted/)
    const workspace = path.join(rig.home, 'dispatch/workspace')
    assert.deepEqual(JSON.parse(fs.readFileSync(config, 'utf8')), {
      ...before,
      projects: { ...before.projects, [workspace]: { hasTrustDialogAccepted: true } },
    })
    assert.match((await rig.dispatch(['setup', '--yes'], { env })).stdout, /Nothing to do/)
  }))

it('with --json nothing is asked about a project file that was not confirmed, also at a terminal', () =>
  withRig(idleScenario, async rig => {
    const folder = path.join(rig.home, 'elsewhere/mine')
    fs.mkdirSync(folder)
    fs.writeFileSync(path.join(folder, '.dispatch.json'), '{ "setup": ["make deps"] }\n')
    await commitFolder(folder)
    for (const line of ['"do it"', 'later "do it"']) {
      const { code, shown } = await runInScript(rig, `${line} --json --repo ${folder}`, {
        prompt: /y\/N/,
        answer: 'n\n',
      })
      assert.equal(code, 5, shown)
      assert.doesNotMatch(shown, /y\/N|make deps/)
    }
    assert.deepEqual(listSessionFolders(rig), [])
  }))
