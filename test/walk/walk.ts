import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import type { Scenario } from '#rehearsal/scenario.ts'
import { entryPoint, openRig, type Rig } from '../fixtures/rig.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** A project, and what a person does with it. */
export interface Walk {
  files: Record<string, string>
  /** Run once before the first commit. */
  build: string
  scenario: Scenario
  /** Said before the first dispatch, besides what every walk does. */
  commandsBefore: string[]
  /** The project's own tests, run after the merge. */
  tests: string
  /** Go by way of `--approve`. */
  approve: boolean
}

/** One command as a person typed it, and all that they saw. */
export interface WalkStep {
  title: string
  screen: string
}

/** From `git clone` of the project to its judged work merged: the real dispatch at a real terminal, on scripted models. */
export async function runWalk({ files, build, scenario, commandsBefore, tests, approve }: Walk): Promise<WalkStep[]> {
  const rig = await openRig(scenario)
  let terminal: Terminal | undefined
  const screens: WalkStep[] = []
  try {
    const origin = await makeOrigin(rig, files, build)
    const bin = path.join(rig.home, 'bin')
    fs.mkdirSync(bin)
    fs.symlinkSync(entryPoint, path.join(bin, 'dispatch'))
    const name = { GIT_AUTHOR_NAME: 'you', GIT_AUTHOR_EMAIL: 'you@localhost' }
    const committer = { GIT_COMMITTER_NAME: 'you', GIT_COMMITTER_EMAIL: 'you@localhost' }
    const registries = { npm_config_registry: 'http://127.0.0.1:9/', PIP_INDEX_URL: 'http://127.0.0.1:9/simple' } // No network.
    const environment = {
      ...rig.environment,
      ...registries,
      ...name,
      ...committer,
      PATH: `${bin}:${rig.environment['PATH']}`,
    }
    terminal = await openTerminal(environment, path.join(rig.home, 'elsewhere'))
    const step = async (title: string, command: string, options: Parameters<Terminal['typeCommand']>[1] = {}) => {
      const screen = await terminal?.typeCommand(command, options)
      screens.push({ title, screen: plain(screen ?? '', rig, origin) })
    }
    await step('The project.', `git clone -q ${origin} units && cd units && ls -A`)
    for (const command of commandsBefore) await step('What its README asks for.', command)
    await step('Is this machine ready?', 'dispatch doctor')
    await step('Its dependencies: proposed, looked at, confirmed.', 'dispatch prepare', {
      answers: [[/\[y\/N\]/, 'y']],
    })
    await step('The task.', `dispatch ${approve ? '--approve ' : ''}"${scenario.task.replaceAll('`', '\\`')}"`)
    if (approve) {
      await step('Until it needs me.', 'dispatch watch')
      const letters = rig.readSession().id.slice(-4)
      await step('The contract: read, and approved.', `dispatch approve ${letters}`, {
        answers: [[/Type [a-z0-9]{4}/, letters]],
      })
    }
    await step('Until there is a verdict.', 'dispatch watch', { seconds: 180 })
    await step('What it rests on.', 'dispatch show')
    await step('Bring it home.', 'dispatch apply')
    await step(
      'Look at it, and take it.',
      `git diff --stat HEAD...dispatch/${rig.readSession().id} && git merge -q dispatch/${rig.readSession().id} && git log --oneline | head -5`,
    )
    await step('Does it work here?', tests, { seconds: 180 })
    return screens
  } catch (error) {
    throw new Error(screens.map(({ screen }) => screen).join('\n\n'), { cause: error })
  } finally {
    await terminal?.close()
    await rig.close()
  }
}

/** Somewhere to clone from. */
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
    const ran = await runProgram('/bin/sh', ['-c', command], { cwd: folder, env, timeoutMs: 120_000 })
    if (ran.exitCode !== 0) throw new Error(`${command}: ${ran.stdout}${ran.stderr}`)
  }
  return folder
}

/** The screen without the temporary folders of the rig, which say nothing to a reader. */
function plain(screen: string, rig: Rig, origin: string): string {
  return screen
    .replaceAll(origin, '~/origin/units')
    .replaceAll(path.join(rig.home, 'dispatch'), '~/.claude-dispatch')
    .replaceAll(path.join(rig.home, 'elsewhere'), '~')
    .replaceAll(rig.home, '~')
    .replaceAll(installFolder, '~/claude-dispatch')
}
