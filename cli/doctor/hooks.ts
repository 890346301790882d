import { z } from 'zod'
import { findSettingsFiles, readUserSettings } from '#host/claude'
import type { Config } from '#host/config'
import { readIfPresent } from '#host/fs'
import { parseJsonc } from '#host/json.ts'
import { type DoctorResult, fail, ok, warn } from './result.ts'
import { runHooks } from './run-hooks.ts'

/** Do the hooks of dispatch work, does claude run them, and do settings of the company switch hooks off? */
export async function checkHooks(config: Pick<Config, 'installFolder'>): Promise<DoctorResult[]> {
  return [...checkManagedSettings(), ...checkUserSettings(), ...(await runHooks(config.installFolder))]
}

/** Why these managed settings keep hooks from running; undefined when they do not. Pure. */
export function explainDisabledHooks(text: string): string | undefined {
  const { value, problems } = parseJsonc(text)
  const [first] = problems
  if (first) return `${UNREADABLE} (line ${first.line}: ${first.message}), so claude may ignore it`
  const settings = HookSettings.safeParse(value).data
  if (settings?.disableAllHooks) return 'disableAllHooks is true'
  return settings?.allowManagedHooksOnly ? 'allowManagedHooksOnly is true' : undefined
}

// --- internal ---

const UNREADABLE = 'invalid JSON'

const HookSettings = z.looseObject({
  disableAllHooks: z.boolean().optional(),
  allowManagedHooksOnly: z.boolean().optional(),
})

/** An orchestrator counts as started by its first hook event, so without hooks no session starts. */
function checkManagedSettings(): DoctorResult[] {
  return findSettingsFiles({ configDirectory: undefined }).managed.flatMap(file => {
    const text = readIfPresent(file)
    const reason = text === undefined ? undefined : explainDisabledHooks(text)
    if (reason === undefined) return []
    if (reason.startsWith(UNREADABLE)) return [warn('hooks', `${file}: ${reason}`, `Fix ${file}`)]
    const fix = 'An administrator manages that file: ask them to allow the hooks of claude-dispatch'
    return [fail('hooks', `${file}: ${reason}, and without hooks no session can start`, fix)]
  })
}

/** Your hooks, plugins and the like stay yours: agents do not run them. */
function checkUserSettings(): DoctorResult[] {
  const { file, leftOut } = readUserSettings()
  return leftOut.length === 0
    ? []
    : [ok('left out', `agents do not get these settings of ${file}: ${leftOut.join(', ')}`)]
}
