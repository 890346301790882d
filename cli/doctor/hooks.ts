import { z } from 'zod'
import { detectLogin, findSettingsFiles } from '#host/claude'
import type { Config } from '#host/config'
import { readIfPresent } from '#host/fs'
import { parseJsonc } from '#host/json.ts'
import { type DoctorResult, fail, warn } from './result.ts'
import { runHooks } from './run-hooks.ts'

/** Do the hooks of dispatch work, does claude run them, and do settings of the user or the company switch hooks off? */
export async function checkHooks(config: Config): Promise<DoctorResult[]> {
  return [...checkSettings(config), ...(await runHooks(config.installFolder))]
}

/** Why these settings keep hooks from running; undefined when they do not. Pure. */
export function explainDisabledHooks(text: string, isManaged: boolean): string | undefined {
  const { value, problems } = parseJsonc(text)
  const [first] = problems
  if (first) return `${UNREADABLE} (line ${first.line}: ${first.message}), so claude may ignore it`
  const settings = HookSettings.safeParse(value).data
  if (settings?.disableAllHooks) return 'disableAllHooks is true'
  return isManaged && settings?.allowManagedHooksOnly ? 'allowManagedHooksOnly is true' : undefined
}

// --- internal ---

const UNREADABLE = 'invalid JSON'

const HookSettings = z.looseObject({
  disableAllHooks: z.boolean().optional(),
  allowManagedHooksOnly: z.boolean().optional(),
})

/** An orchestrator counts as started by its first hook event, so without hooks no session starts. */
function checkSettings(config: Config): DoctorResult[] {
  const { user, managed } = findSettingsFiles(detectLogin(config.claudeFolder))
  return [user, ...managed].flatMap(file => {
    const text = readIfPresent(file)
    const reason = text === undefined ? undefined : explainDisabledHooks(text, file !== user)
    if (reason === undefined) return []
    if (reason.startsWith(UNREADABLE)) return [warn('hooks', `${file}: ${reason}`, `Fix ${file}`)]
    const fix =
      file === user
        ? `Remove that setting from ${file}`
        : 'An administrator manages that file: ask them to allow the hooks of claude-dispatch'
    return [fail('hooks', `${file}: ${reason}, and without hooks no session can start`, fix)]
  })
}
