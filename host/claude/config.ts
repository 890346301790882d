import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes } from '../error.ts'
import { listNames } from '../fs/files.ts'
import { findPosition, parseJson, parseJsonc, type TextPosition, toPosition } from '../json.ts'
import type { JsonEntry } from '../user-config/json-merge.ts'
import { readUserFile } from '../user-config/locked-write.ts'

const ClaudeConfig = z.looseObject({
  projects: z.record(z.string(), z.looseObject({ hasTrustDialogAccepted: z.boolean().optional() })).optional(),
  customApiKeyResponses: z.looseObject({ approved: z.array(z.string()).optional() }).optional(),
})

/** Where claude keeps what belongs to a user. `configDirectory` is CLAUDE_CONFIG_DIR; without one, claude uses the home. */
export function locateClaudeFiles(configDirectory: string | null | undefined, environment = process.env) {
  const home = environment['HOME'] || os.homedir()
  const folder = configDirectory ?? path.join(home, '.claude')
  return {
    folder,
    /** Beside the folder, unless the folder was chosen. */
    configFile: path.join(configDirectory ?? home, '.claude.json'),
    settings: path.join(folder, 'settings.json'),
    credentials: path.join(folder, '.credentials.json'),
    transcripts: path.join(folder, 'projects'),
  }
}

/** The `settings.json` files that apply to every claude: that of its config folder, and the administrator's. */
export function findSettingsFiles({ configDirectory }: { configDirectory: string | undefined }): {
  user: string
  managed: string[]
} {
  const managedFolder = process.platform === 'darwin' ? '/Library/Application Support/ClaudeCode' : '/etc/claude-code'
  const parts = path.join(managedFolder, 'managed-settings.d')
  const managed = [
    path.join(managedFolder, 'managed-settings.json'),
    ...listNames(parts).map(name => path.join(parts, name)),
  ]
  return { user: locateClaudeFiles(configDirectory).settings, managed }
}

/** The `settings.json` of the user, also where sessions run with a private config folder. */
export function findUserSettings(): string {
  return locateClaudeFiles(process.env['CLAUDE_CONFIG_DIR'] || null).settings
}

/** The content of `.claude.json`, or `{}`. Exit 2 with line and column when claude would call it invalid. */
export function readClaudeConfig(file: string): Record<string, unknown> {
  const text = readUserFile(file)
    ?.toString('utf8')
    .replace(/^\ufeff/, '')
  if (text === undefined) return {}
  const parsed = ClaudeConfig.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const { line, column } = findJsonProblem(text) ?? findPosition(text, (parsed.error.issues[0]?.path ?? []) as string[])
  throw new DispatchError(`${file}:${line}:${column}: this is not a valid configuration of claude`, {
    exitCode: exitCodes.usage,
    remedy: 'Fix it or move it away, then run the command again.',
  })
}

/** The config with what a silent first launch needs: onboarding, this key, trust of the workspace. The rest stays. */
export function seedConfig(
  config: Record<string, unknown>,
  workspace: string,
  apiKey = process.env['ANTHROPIC_API_KEY'],
): Record<string, unknown> {
  const current = ClaudeConfig.parse(config)
  const approved = current.customApiKeyResponses?.approved ?? []
  const keyTail = apiKey?.slice(-API_KEY_TAIL_CHARS)
  return {
    ...current,
    hasCompletedOnboarding: true,
    customApiKeyResponses: {
      rejected: [],
      ...current.customApiKeyResponses,
      approved: keyTail && !approved.includes(keyTail) ? [...approved, keyTail] : approved,
    },
    projects: { ...current.projects, [workspace]: { ...current.projects?.[workspace], hasTrustDialogAccepted: true } },
  }
}

/** Does this config trust the folder, or a folder above it? Pure. */
export function isTrusted(config: Record<string, unknown>, folder: string): boolean {
  const projects = ClaudeConfig.parse(config).projects ?? {}
  for (let current = folder; ; current = path.dirname(current)) {
    if (projects[current]?.hasTrustDialogAccepted) return true
    if (current === path.dirname(current)) return false
  }
}

/** The one value in `.claude.json` that lets claude work in a folder, and in all below it, without asking. */
export function createTrustEntry(folder: string): JsonEntry {
  return { path: ['projects', folder, 'hasTrustDialogAccepted'], value: true }
}

// --- internal ---

/** claude records an approved key by its last characters. */
const API_KEY_TAIL_CHARS = 20

/** Where the text is not plain JSON. claude rejects comments and trailing commas in its configuration. */
function findJsonProblem(text: string): TextPosition | undefined {
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\/[/*]|,(?=\s*[}\]])/g)]
  const loose = tokens.find(([token]) => !token.startsWith('"'))
  const [problem] = parseJsonc(text).problems
  return problem || loose === undefined ? problem : toPosition(text, loose.index)
}
