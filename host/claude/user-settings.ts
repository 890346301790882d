import { z } from 'zod'
import { agentVariableNames } from '../config/environment.ts'
import { parseJsonc } from '../json.ts'
import { readUserFile } from '../user-config/locked-write.ts'
import { findSettingsFiles, findUserSettings } from './config.ts'

/** What the user's `settings.json` of claude means for agents. */
export interface UserSettings {
  file: string
  /** Variables that say how claude reaches its model. claude lets them override the shell's. */
  variables: Record<string, string>
  /** A program that prints the key (`apiKeyHelper`). */
  keyProgram: string | undefined
  /** Settings that agents take over. */
  kept: Record<string, unknown>
  /** Names of settings that agents do not get: they could steer an agent, or need files that it does not see. */
  leftOut: string[]
}

/** Read the user's settings of claude. A file that is missing, or that claude could not read either, sets nothing. */
export function readUserSettings(file = findUserSettings()): UserSettings {
  const text = readUserFile(file)?.toString('utf8') ?? '{}'
  const settings = Settings.safeParse(parseJsonc(text).value).data ?? {}
  const { env = {}, apiKeyHelper, ...others } = settings
  const names = Object.keys(others)
  return {
    file,
    variables: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        agentVariableNames.includes(name) ? [[name, String(value)] as const] : [],
      ),
    ),
    keyProgram: apiKeyHelper || undefined,
    kept: Object.fromEntries(Object.entries(others).filter(([name]) => keptNames.includes(name))),
    leftOut: names.filter(name => steeringNames.includes(name)),
  }
}

/** The settings of the administrator. claude loads them whatever it is told, and each overrides the user's and those before it. */
export function readManagedSettings(): UserSettings[] {
  return findSettingsFiles({ configDirectory: undefined }).managed.map(file => readUserSettings(file))
}

// --- internal ---

const Settings = z.looseObject({
  env: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .catch(undefined),
  apiKeyHelper: z.string().optional().catch(undefined),
})

/** How the model answers, and how commits are signed off. None of these runs a program or changes a permission. */
const keptNames = [
  'alwaysThinkingEnabled',
  'attribution',
  'availableModels',
  'effortLevel',
  'fastMode',
  'includeCoAuthoredBy',
  'language',
  'modelOverrides',
]

/** What a user would miss: programs that run at events, added tools, and instructions. */
const steeringNames = [
  'agent',
  'awsAuthRefresh',
  'awsCredentialExport',
  'disableAllHooks',
  'enabledPlugins',
  'hooks',
  'mcpServers',
  'otelHeadersHelper',
  'outputStyle',
  'permissions',
  'statusLine',
]
