import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import type { Scenario } from '#rehearsal/scenario.ts'
import { entryPoint, openRig, type Rig, withPhone } from '../fixtures/rig.ts'
import { HANG_MS } from '../fixtures/scratch.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** A project, and what a person does with it. */
export interface Walk {
  files: Record<string, string>
  /** Run once before the first commit. */
  build: string
  scenario: Scenario
  /** Commands before the first dispatch, besides those of every walk. */
  commandsBefore: string[]
  /** The project's own tests, run after the merge. */
  tests: string
  /** Use `--approve`. */
  approve: boolean
}

/** One command, and everything that a person saw. */
export interface WalkStep {
  title: string
  screen: string
}

/** From `git clone` to judged work that is merged: the real dispatch in a real terminal, with scripted models. */
export async function recordWalk({
  files,
  build,
  scenario,
  commandsBefore,
  tests,
  approve,
}: Walk): Promise<WalkStep[]> {
  const rig = await openRig(scenario, withPhone)
  let terminal: Terminal | undefined
  const steps: WalkStep[] = []
  try {
    const origin = await makeOrigin(rig, files, build)
    const bin = path.join(rig.home, 'bin')
    fs.mkdirSync(bin)
    fs.symlinkSync(entryPoint, path.join(bin, 'dispatch'))
    const author = { GIT_AUTHOR_NAME: 'you', GIT_AUTHOR_EMAIL: 'you@localhost' }
    const committer = { GIT_COMMITTER_NAME: 'you', GIT_COMMITTER_EMAIL: 'you@localhost' }
    const registries = { npm_config_registry: 'http://127.0.0.1:9/', PIP_INDEX_URL: 'http://127.0.0.1:9/simple' } // No network.
    const environment = {
      ...rig.environment,
      ...registries,
      ...author,
      ...committer,
      PATH: `${bin}:${rig.environment['PATH']}`,
    }
    terminal = await openTerminal(environment, path.join(rig.home, 'elsewhere'))
    const step = async (title: string, command: string, options: Parameters<Terminal['typeCommand']>[1] = {}) => {
      const screen = await terminal?.typeCommand(command, options)
      steps.push({ title, screen: shortenPaths(screen ?? '', rig, origin) })
    }
    await step('Clone the project', `git clone -q ${origin} units && cd units && ls -A`)
    for (const command of commandsBefore) await step('Prepare it, as its README says', command)
    await step('Check this machine', 'dispatch doctor')
    await step('Confirm its dependencies', 'dispatch prepare', {
      answers: [[/\[y\/N\]/, 'y']],
    })
    await step('Start the task', `dispatch ${approve ? '--approve ' : ''}"${scenario.task.replaceAll('`', '\\`')}"`)
    if (approve) {
      await step('Watch until it needs you', 'dispatch watch')
      const letters = rig.readSession().id.slice(-4)
      await step('Read and approve the contract', `dispatch approve ${letters}`, {
        answers: [[/Type [a-z0-9]{4}/, letters]],
      })
    }
    await step('Watch until there is a verdict', 'dispatch watch', { seconds: 180 })
    await step('Look at the result', 'dispatch show')
    await step('Apply it', 'dispatch apply')
    await step(
      'Review and merge it',
      `git diff --stat HEAD...dispatch/${rig.readSession().id} && git merge -q dispatch/${rig.readSession().id} && git log --oneline | head -5`,
    )
    await step('Test it', tests, { seconds: 180 })
    return steps
  } catch (error) {
    throw new Error(steps.map(({ screen }) => screen).join('\n\n'), { cause: error })
  } finally {
    await terminal?.close()
    await rig.close()
  }
}

/** Make the repository to clone from. Returns its folder. */
async function makeOrigin(rig: Rig, files: Record<string, string>, build: string): Promise<string> {
  const folder = path.join(rig.home, 'origin/units')
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  const env = { ...rig.environment }
  const commands = [
    build,
    'git init -q -b main',
    'git add -A',
    'git -c user.name=u -c user.email=u@h commit -q -m "units 1.0"',
  ]
  for (const command of commands) {
    const ran = await runProgram('/bin/sh', ['-c', command], { cwd: folder, env, timeoutMs: HANG_MS })
    if (ran.exitCode !== 0) throw new Error(`${command}: ${ran.stdout}${ran.stderr}`)
  }
  return folder
}

/** The screen with short paths instead of the temporary folders of the rig. */
function shortenPaths(screen: string, rig: Rig, origin: string): string {
  return screen
    .replaceAll(origin, '~/origin/units')
    .replaceAll(path.join(rig.home, 'dispatch'), '~/.claude-dispatch')
    .replaceAll(path.join(rig.home, 'elsewhere'), '~')
    .replaceAll(rig.home, '~')
    .replaceAll(installFolder, '~/claude-dispatch')
}
