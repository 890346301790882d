import { readConfig, readDefaultConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findRepository } from '#host/git'
import { readInstructions } from '#host/project'
import { defineCommand } from '../command.ts'
import { checkBuild } from '../doctor/build.ts'
import { checkChannels } from '../doctor/channels.ts'
import { checkHome, checkPage } from '../doctor/home.ts'
import { checkHooks } from '../doctor/hooks.ts'
import { checkJudge } from '../doctor/judge.ts'
import { checkLogin, checkPrograms } from '../doctor/programs.ts'
import { type DoctorResult, fail, formatResults, ok, warn } from '../doctor/result.ts'
import { checkSandbox } from '../doctor/sandbox.ts'
import { checkSessions } from '../doctor/sessions.ts'
import { print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Looks at everything a session needs on this machine and says, for each thing that is wrong, what to do about it. Exit code
6 when something is missing that no session can do without. It changes nothing, and without --online and --notify it speaks
to nobody.
`,
  options: {
    online: {
      type: 'boolean',
      about: "ask the judge's model for one word, to see that key and model are right (a few tokens)",
    },
    notify: { type: 'boolean', about: 'send one test notice by every channel that is set' },
    json: {
      type: 'boolean',
      about: 'one JSON object on standard output instead of words; it has the fix for macOS and for Linux',
    },
  },
  async run(values) {
    const results = await runChecks(values.online ?? false, values.notify ?? false)
    const mac = process.platform === 'darwin'
    print(values.json ? JSON.stringify(results) : formatResults(results, { width: process.stdout.columns ?? 80, mac }))
    return results.some(({ state }) => state === 'bad') ? exitCodes.dependency : exitCodes.ok
  },
})

async function runChecks(online: boolean, notify: boolean): Promise<DoctorResult[]> {
  const { config, found, read } = checkConfiguration()
  const looks = [
    checkPrograms(config.home),
    checkLogin(config.claudeFolder, config.workspace).then(one => [one]),
    checkHooks(config),
    ...(read
      ? [
          checkJudge(config, online).then(one => [one]),
          checkChannels(config, notify),
          checkPage(config).then(one => [one]),
        ]
      : []),
    checkHome(config),
    checkSandbox(config).then(one => [one]),
    checkSessions(config),
    checkRepository([config.installFolder, config.home]),
  ]
  return [...found, checkBuild(), ...(await Promise.all(looks.map(look => look.catch(toFailedResult)))).flat()]
}

/** What one look stumbles over is a symptom too: the others have theirs to tell. */
function toFailedResult(error: unknown): DoctorResult[] {
  if (!(error instanceof DispatchError)) throw error
  return [fail('files', error.message, error.remedy)]
}

/** Settings that do not read are a symptom like any other; what does not hang on them is looked at all the same. */
function checkConfiguration() {
  try {
    return { config: readConfig(), found: [ok('settings', 'read')], read: true }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const [, ...problems] = error.message.split('\n  ')
    if (problems.length === 0) throw error // Not a word of .env: DISPATCH_HOME itself is no place.
    const found = problems.map(problem => fail('settings', problem, error.remedy))
    return { config: readDefaultConfig(), found, read: false }
  }
}

/** What a repository here has for claude that we leave aside, because it could run programs. */
async function checkRepository(ours: string[]): Promise<DoctorResult[]> {
  try {
    const found = await findRepository(undefined, ours)
    const ignored = found ? (await readInstructions(found)).ignored : []
    if (ignored.length === 0) return []
    return [
      warn(
        'ignored',
        `in ${found?.path}: ${ignored.join(', ')}`,
        'Nothing to do: they could run programs, so our agents are started without them',
      ),
    ]
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [warn('here', error.message, error.remedy)]
  }
}
