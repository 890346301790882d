import path from 'node:path'
import { createTrustEntry, detectLogin, findUserSettings, isTrusted, readClaudeConfig } from '#host/claude'
import type { Config } from '#host/config'
import type { Addition } from '#host/user-config'
import { buildExternalHooks } from '../external-sessions.ts'

/** What dispatch adds to one file of the user, and why. */
export interface PlannedChange {
  file: string
  reason: string
  addition: Addition
}

/** Everything that `dispatch setup` adds, and notes about what needs no change. */
export interface SetupPlan {
  changes: PlannedChange[]
  notes: string[]
}

export function planSetup(config: Config, { hooks, rules }: { hooks: boolean; rules: boolean }): SetupPlan {
  const trust = planTrust(config)
  return {
    changes: [...trust.changes, ...(hooks ? [planHooks(config)] : []), ...(rules ? [planRules(config)] : [])],
    notes: trust.notes,
  }
}

// --- internal ---

/** One entry for the workspace, which contains every session. A key in the environment needs none. */
function planTrust(config: Config): SetupPlan {
  const login = detectLogin(config.claudeFolder)
  if (login.kind === 'key') {
    const note = `A key or token is in the environment, so claude uses its own configuration in ${config.claudeFolder} and needs no trust entry.`
    return { changes: [], notes: [note] }
  }
  if (isTrusted(readClaudeConfig(login.configFile), config.workspace))
    return { changes: [], notes: [`${login.configFile} already trusts ${config.workspace}.`] }
  const reason = 'claude trusts the workspace of dispatch; one entry serves every session'
  return { changes: [{ file: login.configFile, reason, addition: [createTrustEntry(config.workspace)] }], notes: [] }
}

function planHooks(config: Config): PlannedChange {
  const reason = 'claude sessions that dispatch did not start report when they end or wait for you'
  return { file: findUserSettings(), reason, addition: buildExternalHooks(config) }
}

/** claude follows an `@path` line in CLAUDE.md, and needs a backslash before each space of the path. */
function planRules({ installFolder }: Config): PlannedChange {
  const rulesFile = path.join(installFolder, 'CLAUDE.md')
  return {
    file: path.join(path.dirname(findUserSettings()), 'CLAUDE.md'),
    reason: `every claude session follows the four rules in ${rulesFile}`,
    addition: { name: 'dispatch rules', lines: [`@${rulesFile.replaceAll(' ', '\\ ')}`] },
  }
}
