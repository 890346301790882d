/** Commands that show a session: logs, contract, matrix, cost, and Tab. One real session, and copies of it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { commandTable } from '#cli/commands/index.ts'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { entryPoint, helloScenario, idleScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { HANG_MS } from '../fixtures/scratch.ts'
import { copySession, rewriteLog } from '../fixtures/session-copies.ts'

test('a session and its record can be shown', async t => {
  await withRig(helloScenario, async rig => {
    assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 0)
    const { id, paths, manifest } = rig.readSession()
    const following = rig.dispatch(['logs', id, '--follow'])
    const transcript = path.join(
      paths.claudeFolder,
      'projects',
      paths.orchestratorFolder.replace(/[^A-Za-z0-9]/g, '-'),
      `${manifest.claude.sessionId}.jsonl`,
    )
    const show = async (...args: string[]) => (await rig.dispatch(args)).stdout

    await t.test('logs --follow shows every process, and ends with the session', async () => {
      await new Promise(resolve => setTimeout(resolve, 1500))
      await rig.dispatch(['stop', id])
      const { stdout, exitCode } = await following
      assert.equal(exitCode, 0)
      assert.match(stdout, /^runner +\d\d:\d\d +verdict +PASS/m)
      assert.match(stdout, /^orchestrator +> Bash submit$/m)
      assert.match(stdout, /^hello +> Bash cat > hello\.sh/m)
      assert.match(stdout, /closed by you: dispatch stop\n$/)
    })

    await t.test('a verdict becomes void without a runner too', async () => {
      assert.match(await show('ls'), /^PASS {2}/)
      const file = path.join(paths.outputs, 'hello.sh')
      const judged = fs.readFileSync(file)
      fs.appendFileSync(file, '# changed\n')
      assert.match(await show('ls'), /^PASS \(void\)/)
      for (const word of ['wait', 'watch']) {
        const { exitCode, stdout } = await rig.dispatch([word, id])
        assert.equal(exitCode, 12, word)
        assert.match(stdout, /PASS \(void\) {2}VOID: hello\.sh changed in outputs\/ after the verdict/)
      }
      const waited = await rig.dispatch(['wait', id, '--json'])
      const { exitCode, state, status } = JSON.parse(waited.stdout)
      assert.deepEqual([waited.exitCode, exitCode, state], [12, 12, 'PASS (void)'])
      assert.match(status.verdict.voidReason, /hello\.sh changed/)
      fs.writeFileSync(file, judged)
      assert.equal((await rig.dispatch(['wait', id])).exitCode, 0)
    })

    await t.test('matrix: Markdown, HTML and JSON, with void and damage, without secrets', async () => {
      const page = await show('matrix')
      assert.match(page, /^## Dispatch: PASS\n\n- PASS: 2 of 2 clauses/)
      assert.match(page, /\| \*\*S1\*\* write a shell script [^|]*\| \*\*C1\*\* [^|]*\| check `sh hello\.sh` /)
      assert.match(
        page,
        /\| red \| green \| \*\*PASS\*\* \| `base-C1` `[0-9a-f]{12}`<br>`round-1-C1` `[0-9a-f]{12}` \|/,
      )
      assert.match(page, /### Clauses that cover no sentence[\s\S]*\*\*C2\*\*[\s\S]*`scope-C2`/)
      const matrix = JSON.parse(await show('matrix', id, '--json'))
      const { packetSha256, independence } = matrix.verdict
      assert.equal(JSON.parse(await show('wait', '--json')).packetSha256, packetSha256)
      const shown = JSON.parse(await show('show', '--json'))
      assert.deepEqual([shown.verdict.packetSha256, shown.verdict.independence], [packetSha256, independence])
      const sent = fs.readFileSync(path.join(paths.evidence, 'packet-1.txt'))
      assert.equal(createHash('sha256').update(sent).digest('hex'), packetSha256)
      assert.match(
        await show('show'),
        new RegExp(`independence: other vendor, blind\\n +packet +sha256 ${packetSha256}`),
      )
      assert.match(await show('matrix', '--html'), /^<!doctype html>[\s\S]*<style>[\s\S]*other vendor, blind/)
      const redacted = await rig.dispatch(['matrix'], { env: { SOME_TOKEN: 'shell script hello.sh' } })
      assert.match(redacted.stdout, /\*\*S1\*\* write a \\\[secret withheld: [^\]]+\\\] that/)

      const [file, record] = [path.join(paths.outputs, 'hello.sh'), path.join(paths.evidence, 'round-1-C1.json')]
      const before = [file, record].map(each => fs.readFileSync(each, 'utf8'))
      fs.appendFileSync(file, '# changed\n')
      assert.match(await show('matrix'), /^## Dispatch: VOID, was PASS\n\n> \*\*VOID\*\*[\s\S]*hello\.sh changed/)
      fs.writeFileSync(file, before[0] ?? '')
      fs.writeFileSync(record, before[1]?.replace('hello', 'hallo') ?? '')
      const damaged = await rig.dispatch(['matrix'])
      assert.equal(damaged.exitCode, 13)
      assert.match(damaged.stdout, /> \*\*DAMAGED\*\*: evidence\/round-1-C1\.json is not what was recorded/)
      fs.writeFileSync(record, before[1] ?? '')
      assert.equal((await rig.dispatch(['matrix'])).exitCode, 0)
    })

    await t.test('logs: the files with sizes and last lines, or one file in full', async () => {
      const all = await show('logs')
      assert.match(
        all,
        /^ {2}runner +\d+ kB +\S+events\.jsonl\n {2}orchestrator +\d+ kB +\S+\.jsonl\n {2}hello +\d+ B/m,
      )
      assert.match(all, /\nhello\n {2}> Bash[\s\S]*I ran it and saw "hello"/)
      const talk = await show('logs', id, 'orchestrator')
      assert.match(talk, /^you: Begin\.\n {2}> Bash cat > contract\.md/m)
      assert.match(talk, /> Bash submit\n {2}< PASS: 2 of 2 clauses/)
      assert.match(await show('logs', id, 'runner'), /contract +sealed: 2 clauses\n +C1 +check/)
      const unknown = await rig.dispatch(['logs', id, 'nobody'])
      assert.equal(unknown.exitCode, 4)
      assert.match(unknown.stderr, /runner, orchestrator, hello/)
    })

    await t.test('logs: no terminal escape of an agent gets through, and no link is followed', async () => {
      const evil = '\u001b]0;owned\u0007'
      fs.writeFileSync(paths.worker('hello').errors, `${evil}without an end of line`)
      fs.appendFileSync(
        transcript,
        `${JSON.stringify({ type: 'user', message: { content: `typed ${evil}` } })}\nnot json\n{"type":"assistant","mess\n`,
      )
      for (const who of ['hello', 'orchestrator']) {
        const words = await show('logs', id, who)
        assert.ok(!words.includes('\u001b]') && words.includes('\\u{1b}]0;owned'), who)
      }
      fs.rmSync(paths.worker('hello').output)
      fs.symlinkSync('/etc/passwd', paths.worker('hello').output)
      assert.ok(!(await show('logs', id, 'hello')).includes('root:'))
    })

    await t.test('contract: the sealed text with the state of each clause; --raw is the file', async () => {
      const shown = await show('contract')
      assert.match(shown, /sealed, sha256 [0-9a-f]{64}/)
      assert.match(shown, /## C1 — [^\n]*\n {4}red before · green now · PASS\n- covers: S1/)
      assert.match(shown, /## C2 — [^\n]*\n {4}PASS\n- scope/)
      assert.equal(await show('contract', '--raw'), fs.readFileSync(paths.contract, 'utf8'))
    })

    await t.test('contract: a draft with its problems; a changed contract is exit 13', async () => {
      const draft = copySession(rig, id, 'aaaa')
      rewriteLog(draft, line => (/"type":"(session|base|orchestrator)/.test(line) ? line : ''))
      assert.match(await show('contract', 'aaaa'), /this is a draft[^\n]*\n {2}valid; [\s\S]*## C1[^\n]*\n- covers/)
      fs.writeFileSync(path.join(draft.orchestratorFolder, 'contract.md'), '# Contract\n')
      assert.match(await show('contract', 'aaaa'), /this is a draft[^\n]*\n {2}contract: /)
      fs.rmSync(path.join(draft.orchestratorFolder, 'contract.md'))
      assert.equal((await rig.dispatch(['contract', 'aaaa'])).exitCode, 4)
      const broken = copySession(rig, id, 'bbbb')
      fs.chmodSync(broken.contract, 0o600)
      fs.appendFileSync(broken.contract, '# more\n')
      const shown = await rig.dispatch(['contract', 'bbbb'])
      assert.equal(shown.exitCode, 13)
      assert.match(shown.stdout, /was modified after it was sealed/)
    })

    await t.test('cost: dollars as claude reported them, tokens once for each answer', async () => {
      const cost = JSON.parse(await show('cost', id, '--json'))
      const ended = rig.readEvents(id).find(event => event.type === 'worker.ended')
      const { seconds, costUsd: usd } = ended ?? assert.fail('the worker has not ended')
      assert.deepEqual(cost.workers, [{ name: 'hello', model: 'opus', seconds, usd, estimatedUsd: 0 }])
      const answers = rig.models.requests.filter(({ role }) => role === 'orchestrator').length
      assert.ok(answers > 3)
      const [tokens] = cost.orchestrator.tokens
      assert.equal(tokens.input, 100 * answers)
      assert.ok(cost.orchestrator.usd > 0)
      assert.deepEqual([cost.judge.usd, cost.judge.rounds], [null, 1])

      const line =
        fs
          .readFileSync(transcript, 'utf8')
          .split('\n')
          .find(each => each.includes('"usage"')) ?? ''
      fs.appendFileSync(transcript, `${line}\n${line}\n`)
      assert.deepEqual(
        JSON.parse(await show('cost', id, '--json')),
        cost,
        'an answer on several lines was counted twice',
      )

      rewriteLog(copySession(rig, id, 'cccc'), each =>
        each.replace(/"costUsd":[\d.e-]+/, '"costUsd":null').replace('cost.reported', 'cost.unknown'),
      )
      const unknown = await show('cost', 'cccc')
      assert.match(unknown, /hello +opus +00:0\d +not reported/)
      assert.match(unknown, /Orchestrator {2}opus, dollars not reported/)
    })

    await t.test('cost of all sessions, by day', async () => {
      const { days, total, sessions } = JSON.parse(await show('cost', '--json'))
      assert.equal(sessions.length, 4)
      assert.deepEqual(
        [days.length, days[0].name, total.sessions, total.unreported],
        [1, manifest.openedAt.slice(0, 10), 4, 3],
      )
      assert.match(await show('cost'), /^total +4 +3 +\d\d:\d\d +\$\d\.\d{4} +3 /m)
      fs.rmSync(transcript)
      assert.match(await show('cost', id), /tokens unknown: claude has no transcript/)
    })

    await t.test('Tab in bash: commands, options, ids and workers; nothing is run', async () => {
      const workers = path.join(paths.workers, '$(touch ran)')
      fs.mkdirSync(workers)
      const offered = await completeInBash(rig, [
        'dispatch sh',
        'dispatch show --',
        `dispatch show ${id.slice(0, -2)}`,
        `dispatch show ${id.slice(-4)}`,
        `dispatch logs ${id} `,
        `dispatch attach ${id} h`,
        'dispatch rehearse wrong',
        'dispatch completions z',
        'dispatch apply --branch ',
        'dispatch apply --repo el',
        'dispatch fix-it --wa',
      ])
      assert.deepEqual(offered, [
        ['show'],
        ['--json', '--help'],
        [id],
        [id],
        ['orchestrator', 'runner', 'hello'],
        ['hello'],
        ['wrong-heading'],
        ['zsh'],
        [],
        ['elsewhere'],
        ['--wait'],
      ])
      assert.ok(!fs.existsSync(path.join(rig.home, 'ran')))
      assert.equal((await rig.dispatch(['completions', 'tcsh'])).exitCode, 2)
    })
  })
})

test('Tab offers every command and every option', async () => {
  await withRig(idleScenario, async rig => {
    const names = commandTable.commands.map(({ name }) => name)
    const offered = await completeInBash(rig, ['dispatch ', ...names.map(name => `dispatch ${name} --`)])
    assert.deepEqual(offered[0], [...names, 'help'])
    for (const [at, entry] of commandTable.commands.entries()) {
      const known = Object.entries((await entry.load()).options ?? {})
      const options = known.flatMap(([option, { isInternal }]) => (isInternal ? [] : [`--${option}`]))
      assert.deepEqual(offered[at + 1], [...options, '--help'], entry.name)
    }
  })
})

test('bash, zsh and fish offer the same', async t => {
  await withRig(idleScenario, async rig => {
    const lines = ['dispatch sh', 'dispatch stop -', 'dispatch --wa', 'dispatch notify t', 'dispatch apply --repo else']
    const expected = [['show'], ['--all', '--host-gone', '--help'], ['--wait'], ['test']]
    for (const [shell, folders] of [
      ['bash', 'elsewhere'],
      ['zsh', '_files -/'],
      ['fish', 'elsewhere/'],
    ] as const) {
      if ((await runProgram(shell, ['--version'])).startError) t.diagnostic(`${shell} is not installed`)
      else assert.deepEqual(await completeInShell(rig, shell, lines), [...expected, [folders]], shell)
    }
  })
})

const completeInBash = (rig: Rig, lines: string[]) => completeInShell(rig, 'bash', lines)

/** A script for each shell that prints what Tab would offer at the end of each line of its input. */
const scripts = {
  bash: `
    eval "$(dispatch completions bash)"
    complete -p dispatch >/dev/null || exit 9
    while IFS= read -r line; do
      read -ra COMP_WORDS <<<"$line"
      case $line in *' ') COMP_WORDS+=('') ;; esac
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _dispatch
      printf '%s\\t' "\${COMPREPLY[@]}"
      echo
    done`,
  zsh: `
    compdef() { [[ "$*" == '_dispatch dispatch' ]] || exit 9 }
    compset() { }
    _files() { printf '%s' "_files $*" }
    _describe() { printf '%s\\t' "\${(@)found%%:*}" }
    eval "$(dispatch completions zsh)"
    while IFS= read -r line; do
      words=("\${(@s: :)line}")
      CURRENT=\${#words}
      _dispatch
      echo
    done`,
  fish: `
    dispatch completions fish | source
    while read line
      printf '%s\\t' (complete -C "$line" | string replace -r '\\t.*' '')
      echo
    end`,
}

/** What a shell would offer at the end of each of these lines. */
async function completeInShell(rig: Rig, shell: keyof typeof scripts, lines: string[]): Promise<string[][]> {
  fs.mkdirSync(path.join(rig.home, 'bin'), { recursive: true })
  const link = path.join(rig.home, 'bin/dispatch')
  if (!fs.existsSync(link)) fs.symlinkSync(entryPoint, link)
  const options = { bash: ['--norc', '--noprofile'], zsh: ['-f'], fish: ['--no-config'] }[shell]
  const ran = await runProgram(shell, [...options, '-c', scripts[shell]], {
    env: { ...rig.environment, PATH: `${path.dirname(link)}:${rig.environment['PATH']}` },
    cwd: rig.home,
    input: `${lines.join('\n')}\n`,
    timeoutMs: HANG_MS,
  })
  assert.equal(ran.exitCode, 0, ran.stderr)
  return ran.stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.split('\t').filter(Boolean))
}
