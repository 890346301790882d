import { DispatchError, exits, findRepository, instructionsOf, readConfig, readDefaults } from '../../host/index.ts'
import { defineCommand } from '../command.ts'
import { build } from '../doctor/build.ts'
import { channels } from '../doctor/channels.ts'
import { hooks } from '../doctor/hooks.ts'
import { judge } from '../doctor/judge.ts'
import { home, page } from '../doctor/place.ts'
import { login, programs } from '../doctor/programs.ts'
import { sandbox } from '../doctor/sandbox.ts'
import { sessions } from '../doctor/sessions.ts'
import { bad, good, layout, type Symptom, weak } from '../doctor/symptom.ts'
import { print } from '../terminal.ts'

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
    const symptoms = await examine(values.online ?? false, values.notify ?? false)
    const mac = process.platform === 'darwin'
    print(values.json ? JSON.stringify(symptoms) : layout(symptoms, { width: process.stdout.columns ?? 80, mac }))
    return symptoms.some(({ state }) => state === 'bad') ? exits.dependency : exits.ok
  },
})

async function examine(online: boolean, notify: boolean): Promise<Symptom[]> {
  const { config, found, read } = configuration()
  const looks = [
    programs(config.home),
    login(config.claude, config.workspace).then(one => [one]),
    hooks(config),
    ...(read
      ? [judge(config, online).then(one => [one]), channels(config, notify), page(config).then(one => [one])]
      : []),
    home(config),
    sandbox(config).then(one => [one]),
    sessions(config),
    repository([config.install, config.home]),
  ]
  return [...found, build(), ...(await Promise.all(looks.map(look => look.catch(asFinding)))).flat()]
}

/** What one look stumbles over is a symptom too: the others have theirs to tell. */
function asFinding(error: unknown): Symptom[] {
  if (!(error instanceof DispatchError)) throw error
  return [bad('files', error.message, error.remedy)]
}

/** Settings that do not read are a symptom like any other; what does not hang on them is looked at all the same. */
function configuration() {
  try {
    return { config: readConfig(), found: [good('settings', 'read')], read: true }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const [, ...problems] = error.message.split('\n  ')
    if (problems.length === 0) throw error // Not a word of .env: DISPATCH_HOME itself is no place.
    const found = problems.map(problem => bad('settings', problem, error.remedy))
    return { config: readDefaults(), found, read: false }
  }
}

/** What a repository here has for claude that we leave aside, because it could run programs. */
async function repository(ours: string[]): Promise<Symptom[]> {
  try {
    const found = await findRepository(undefined, ours)
    const ignored = found ? (await instructionsOf(found)).ignored : []
    if (ignored.length === 0) return []
    return [
      weak(
        'ignored',
        `in ${found?.path}: ${ignored.join(', ')}`,
        'Nothing to do: they could run programs, so our agents are started without them',
      ),
    ]
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [weak('here', error.message, error.remedy)]
  }
}
