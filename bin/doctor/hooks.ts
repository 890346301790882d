import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { type Config, loginOf, readIfPresent, readJsonc, run, settingsFiles } from '../../host/index.ts'
import { bad, type Finding, good, weak } from './finding.ts'

/** Does a hook of ours fire, and does anything of the user's or their company's silence hooks? */
export async function hooks(config: Config): Promise<Finding[]> {
  return [...silencers(config), await fires(config)]
}

/** What in these settings keeps our hooks from firing, in words; undefined when nothing does. Pure. */
export function silencedBy(text: string, managed: boolean): string | undefined {
  const { value, misread } = readJsonc(text)
  const [first] = misread
  if (first) return `it does not read (line ${first.line}: ${first.what}), so nobody knows what claude makes of it`
  const read = Silencing.safeParse(value)
  if (read.data?.disableAllHooks) return 'disableAllHooks is true'
  return managed && read.data?.allowManagedHooksOnly ? 'allowManagedHooksOnly is true' : undefined
}

// --- internal ---

const Silencing = z.looseObject({
  disableAllHooks: z.boolean().optional(),
  allowManagedHooksOnly: z.boolean().optional(),
})

/** Without its hooks an orchestrator never counts as started, so this is bad and not merely weak. */
function silencers(config: Config): Finding[] {
  const { own, managed } = settingsFiles(loginOf(config.claude))
  return [own, ...managed].flatMap(file => {
    const text = readIfPresent(file)
    const why = text === undefined ? undefined : silencedBy(text, file !== own)
    if (why === undefined) return []
    if (why.startsWith('it does not read')) return [weak('hooks', `${file}: ${why}`, `Mend ${file}`)]
    const theirs = 'These are the rules of whoever manages this machine: ask them to allow the hooks of claude-dispatch'
    return [
      bad(
        'hooks',
        `${file}: ${why}, and without hooks no session starts`,
        file === own ? `Take it out of ${file}` : theirs,
      ),
    ]
  })
}

/** Run the recorder as claude would, by the very command in settings.json, and see what it leaves. Costs no model. */
async function fires({ install }: Config): Promise<Finding> {
  const spool = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  const said = JSON.stringify({ hook_event_name: 'SessionStart', session_id: 'doctor' })
  try {
    const command = firstCommand(readIfPresent(path.join(install, 'settings.json')) ?? '')
    const env = { PATH: '/usr/bin:/bin', DISPATCH_HOOKS: path.join(install, 'hooks'), DISPATCH_SPOOL: spool }
    const ran = await run('/bin/sh', ['-c', command ?? 'exit 1'], { env, input: said, deadline: 10_000 })
    const [left] = fs.readdirSync(spool)
    const heard = left !== undefined && fs.readFileSync(path.join(spool, left), 'utf8') === said
    if (ran.code === 0 && heard) return good('hooks', `the recorder left its word in ${ran.milliseconds} ms`)
    const why =
      command === undefined ? 'settings.json names none' : ran.stderr.trim() || `exit ${ran.code}, and no file`
    return bad(
      'hooks',
      `our hook does not fire: ${why}`,
      `The install is damaged: \`git -C ${install} status\` shows what is changed`,
    )
  } finally {
    fs.rmSync(spool, { recursive: true, force: true })
  }
}

const Hooks = z.object({
  hooks: z.object({ SessionStart: z.array(z.object({ hooks: z.array(z.object({ command: z.string() })) })) }),
})

function firstCommand(settings: string): string | undefined {
  return Hooks.safeParse(readJsonc(settings).value).data?.hooks.SessionStart[0]?.hooks[0]?.command
}
