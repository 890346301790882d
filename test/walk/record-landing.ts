import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { prepareLandingMachine } from '../fixtures/landing-remote.ts'
import { entryPoint, helloScenario, openRig, queueSettings } from '../fixtures/rig.ts'
import { createTwin } from '../fixtures/session-twin.ts'
import type { WalkStep } from './record-walk.ts'
import { openTerminal } from './terminal.ts'

/** What a person sees who lands two sessions: one on a branch that has moved, and one that another person's work keeps away. */
export async function recordLanding(): Promise<WalkStep[]> {
  const rig = await openRig(helloScenario, { ...queueSettings, RIG_CLAUDE: 'real' })
  const steps: WalkStep[] = []
  try {
    const { folder, original, pushFiles } = await prepareLandingMachine(rig)
    const bin = path.join(rig.home, 'bin')
    fs.mkdirSync(bin)
    fs.symlinkSync(entryPoint, path.join(bin, 'dispatch'))
    const environment = { ...rig.environment, PATH: `${bin}:${rig.environment['PATH']}` }
    const [first, second] = ['3f2a', '9c1d'].map(letters => createTwin(original, letters))
    await pushFiles('main', {
      'CHANGES.md': 'Something else.\n',
      '.dispatch.json': '{ "gates": ["test -e readme"] }\n',
    })
    fs.writeFileSync(path.join(folder, '.dispatch.json'), '{ "gates": ["test -e readme"] }\n')
    await rig.dispatch(['prepare', '--yes'], { cwd: folder })
    const terminal = await openTerminal(environment, folder)
    const step = async (title: string, command: string, seconds?: number) => {
      const screen = await terminal.typeCommand(command, seconds === undefined ? {} : { seconds })
      steps.push({ title, screen: shorten(screen, rig.home) })
    }
    const waitForEnd = (count: number) =>
      rig.waitUntil('the landings have ended', () => {
        const ended = fs.globSync('*/ended/*', { cwd: path.join(rig.home, 'dispatch/landing') })
        return ended.length >= count
      })
    try {
      await step('See what would happen', `dispatch land ${first?.id.slice(-4)} --dry-run`, 120)
      await step('Land it', `dispatch land ${first?.id.slice(-4)}`, 120)
      await step('The commit on the branch', 'git fetch -q && git log --format="%h %an%n%B" -1 origin/main')
      await pushFiles('release', { 'hello.sh': 'echo something else\n' })
      await step('A session that does not merge', `dispatch land ${second?.id.slice(-4)} --into release`, 120)
      await step('Have it done again by itself', `dispatch land ${second?.id.slice(-4)} --into release --queue`)
      await rig.waitUntil('it is sent back', () => {
        const back = fs.globSync('*/{sent-back,ended}/*', { cwd: path.join(rig.home, 'dispatch/landing') })
        return back.some(name => name.includes('sent-back')) || back.length >= 2
      })
      await step('Meanwhile', 'dispatch land ls')
      await waitForEnd(2)
      await step('In the end', 'dispatch land ls --all')
      await step('Where the work of a session is', `dispatch audit ${first?.id.slice(-4)}`)
    } finally {
      await terminal.close()
    }
    return steps
  } catch (error) {
    throw new Error(steps.map(({ screen }) => screen).join('\n\n'), { cause: error })
  } finally {
    await rig.close()
  }
}

// --- internal ---

function shorten(screen: string, home: string): string {
  return screen
    .replaceAll(path.join(home, 'dispatch'), '~/.claude-dispatch')
    .replaceAll(path.join(home, 'elsewhere'), '~')
    .replaceAll(home, '~')
    .replaceAll(installFolder, '~/claude-dispatch')
}
