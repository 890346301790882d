import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { isOwnWorkflow, renderWorkflow } from '#cli/actions/workflow.ts'
import { runProgram } from '#host/exec.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const options = {
  label: 'dispatch',
  sandbox: 'required',
  source: 'https://github.example.com/corp/claude-dispatch.git',
  commit: '0123456789abcdef0123456789abcdef01234567',
} as const

interface Step {
  name: string
  uses?: string
  run?: string
  if?: string
  env?: Record<string, string>
  with?: Record<string, unknown>
}
interface ParsedJob {
  if: string
  permissions: Record<string, string>
  'timeout-minutes': number
  'runs-on': string
  steps: Step[]
}

const text = renderWorkflow(options)
const workflow = parse(text) as { on: object; permissions: object; jobs: Record<string, ParsedJob> }
const jobs = Object.values(workflow.jobs)
const steps = jobs.flatMap(job => job.steps)
const getJob = (name: string) => workflow.jobs[name] as ParsedJob
const getStep = (name: string) => steps.find(step => step.name === name) as Step

test('it starts by hand or by a label, and never for the pull request of a stranger', () => {
  assert.deepEqual(Object.keys(workflow.on).sort(), ['issues', 'workflow_dispatch'])
  assert.doesNotMatch(text, /pull_request_target|pull_request:/)
  assert.match(getJob('agents').if, /^\$\{\{ !github\.event\.repository\.fork && /)
  assert.match(getJob('agents').if, /github\.event\.label\.name == 'dispatch'/)
})

test('no text of an event is part of a command', () => {
  assert.ok(steps.filter(({ run }) => run !== undefined).length > 8)
  for (const { name, run = '' } of steps) assert.ok(!run.includes('${{'), name)
  for (const { name, env = {} } of steps)
    for (const value of Object.values(env)) assert.doesNotMatch(String(value), /github\.(event|head_ref|ref)/, name)
})

test('each action is pinned by a whole hash, with its version beside it', () => {
  const uses = text.split('\n').filter(line => /^\s*(- )?uses:/.test(line))
  assert.equal(uses.length, 6)
  for (const line of uses) assert.match(line, /uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  assert.equal(getStep('Install dispatch').env?.['DISPATCH_COMMIT'], options.commit)
})

test('where agents work, the token may only read, and their step has none', () => {
  assert.deepEqual(workflow.permissions, {})
  assert.deepEqual(getJob('agents').permissions, { contents: 'read', issues: 'read', 'pull-requests': 'read' })
  const run = getStep('Run the session')
  assert.deepEqual(Object.keys(run.env ?? {}).sort(), ['ANTHROPIC_API_KEY', 'DISPATCH_SANDBOX', 'GEMINI_API_KEY'])
  const withSecrets = steps.filter(step => JSON.stringify(step).includes('secrets.'))
  assert.deepEqual(withSecrets, [run])
  const withToken = steps.filter(step => JSON.stringify(step).includes('github.token'))
  assert.deepEqual(
    withToken.map(({ name }) => name),
    ['Read the task', 'Report the verdict'],
  )
  assert.ok(getJob('report').steps.every(step => step.name !== 'Run the session'))
})

test('each job has an end, and no checkout leaves its token behind', () => {
  for (const job of jobs) {
    assert.ok(job['timeout-minutes'] > 0)
    assert.equal(job['runs-on'], 'ubuntu-24.04')
    const checkouts = job.steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'))
    assert.deepEqual(
      checkouts.map(step => step.with?.['persist-credentials']),
      [false],
    )
  }
  assert.match(text, /cancel-in-progress: false/)
})

test('without a sandbox nothing is said to AppArmor, and the session is told', () => {
  const open = renderWorkflow({ ...options, sandbox: 'off' })
  assert.ok(text.includes('apparmor_parser') && !open.includes('apparmor_parser'))
  assert.doesNotMatch(text + open, /\{\{[#/a-z]/)
  const parsed = parse(open) as typeof workflow
  const run = parsed.jobs['agents']?.steps.find(({ name }) => name === 'Run the session')
  assert.equal(run?.env?.['DISPATCH_SANDBOX'], 'off')
})

test('it knows its own text again, in any version, and no changed one', () => {
  assert.ok(isOwnWorkflow(text) && isOwnWorkflow(renderWorkflow({ ...options, label: 'Night shift' })))
  assert.ok(isOwnWorkflow(text.replaceAll('\n', '\r\n')))
  assert.ok(!isOwnWorkflow(text.replace('contents: read', 'contents: write')))
  assert.ok(!isOwnWorkflow(text.replace(/^# dispatch-sha256.*\n/m, '')))
})

test('a label with a colon and a blank is text of the file like any other', () => {
  for (const label of ['area: now', 'Night shift', 'x/y:z']) {
    const { jobs } = parse(renderWorkflow({ ...options, label })) as typeof workflow
    assert.ok(jobs['agents']?.if.includes(`github.event.label.name == '${label}')`), label)
    const read = jobs['agents']?.steps.find(({ name }) => name === 'Read the task')
    assert.equal(read?.env?.['DISPATCH_LABEL'], label)
  }
})

test('what an artifact has replaces nothing that runs beside the token', async t => {
  const temp = createScratchFolder(t)
  for (const [file, text] of [
    ['from/record/a', 'the record'],
    ['from/claude-dispatch/bin/dispatch', 'touch pwned'],
    ['claude-dispatch/bin/dispatch', '[ -f "$2/a" ] && [ "$1" = restore ]'],
  ] as const) {
    fs.mkdirSync(path.dirname(path.join(temp, file)), { recursive: true })
    fs.writeFileSync(path.join(temp, file), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
  fs.symlinkSync('/proc/self/environ', path.join(temp, 'from/problem.txt')) // Nor does it lead out of its folder.
  fs.mkdirSync(path.join(temp, 'artifact'))
  const members = ['record', 'problem.txt', 'claude-dispatch']
  const tar = ['-C', path.join(temp, 'from'), '-cf', path.join(temp, 'artifact/record.tar'), ...members]
  assert.equal((await runProgram('tar', tar)).exitCode, 0)
  assert.match(String(getStep('Fetch the record').with?.['path']), /^\$\{\{ runner\.temp \}\}\/artifact$/)
  const own = path.join(temp, 'claude-dispatch/bin')
  const ran = await runProgram('/bin/bash', ['-e', '-c', getStep('Restore the record').run ?? ''], {
    ...{ cwd: temp, env: { PATH: `${own}:/usr/bin:/bin`, RUNNER_TEMP: temp } },
  })
  assert.equal(ran.exitCode, 0, ran.stderr)
  assert.ok(!fs.existsSync(path.join(temp, 'pwned')))
  assert.match(fs.readFileSync(path.join(own, 'dispatch'), 'utf8'), /restore/)
  assert.equal(fs.readFileSync(path.join(temp, 'problem.txt'), 'utf8'), '')
})

test('what could end a string of the file is refused', () => {
  for (const change of [
    { label: "x' || true || '" },
    { label: '' },
    { label: 'a\nb' },
    { source: "https://x/'; curl y" },
    { source: 'git@github.com:a/b.git' },
    { source: 'https://me:secret@github.com/a/b.git' },
    { commit: 'main' },
  ])
    assert.throws(() => renderWorkflow({ ...options, ...change }), { exitCode: 2 }, JSON.stringify(change))
})

test('AppArmor is told about bubblewrap only where it refuses it, and a refusal that stays ends the job', async t => {
  const folder = createScratchFolder(t)
  const stubs = {
    bwrap: '[ -e "$OUT/loaded" ] || { echo "bwrap: setting up uid map: Permission denied" >&2; exit 1; }',
    sudo: 'case $1 in tee) cat > "$OUT/profile" ;; apparmor_parser) [ -n "$STUBBORN" ] || touch "$OUT/loaded" ;; esac',
  }
  for (const [name, body] of Object.entries(stubs))
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  const play = (STUBBORN: string) =>
    runProgram('/bin/bash', ['-e', '-c', getStep('Let bubblewrap open a sandbox').run ?? ''], {
      env: { PATH: `${folder}:/usr/bin:/bin`, OUT: folder, STUBBORN },
    })
  const stubborn = await play('yes')
  assert.equal(stubborn.exitCode, 1)
  assert.match(stubborn.stderr, /Permission denied/)
  assert.equal((await play('')).exitCode, 0)
  const profile = fs.readFileSync(path.join(folder, 'profile'), 'utf8')
  assert.match(profile, /^profile dispatch-bwrap \/usr\/bin\/bwrap flags=\(unconfined\) \{\n {2}userns,\n\}$/m)
  fs.rmSync(path.join(folder, 'profile'))
  assert.equal((await play('')).exitCode, 0)
  assert.ok(!fs.existsSync(path.join(folder, 'profile')))
})
