import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { installFolder } from '../config/config.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { listNames, makePrivateFolder, writeAtomic } from '../fs/files.ts'
import { findPosition, parseJsonc } from '../json.ts'
import { quoteForShell } from '../shell-quote.ts'
import type { JsonEntry } from '../user-config/json-merge.ts'
import { readUserFile } from '../user-config/locked-write.ts'

/** The `claude` to run: the one on PATH, else the one in our node_modules. */
export function findClaude(searchPath = process.env['PATH'] ?? ''): string {
  const places = [...searchPath.split(path.delimiter).filter(Boolean), path.join(installFolder, 'node_modules/.bin')]
  const files = places.map(place => path.join(place, 'claude'))
  const found = files.find(isProgram)
  if (found) return found
  const inert = files.find(file => fs.statSync(file, { throwIfNoEntry: false })?.isFile())
  throw new DispatchError(inert ? `${inert} is not executable` : 'claude is not installed, or not on PATH', {
    exitCode: exitCodes.dependency,
    remedy: inert ? `\`chmod +x ${quoteForShell(inert)}\`, or install claude anew.` : claudeInstallHint,
  })
}

/** How a person comes by a claude. */
export const claudeInstallHint =
  'Install it: `npm install -g @anthropic-ai/claude-code`, then run `claude` once and log in.'

/** How we come to a model: a key or token in the environment with a config of our own, or the user's own login. */
export interface Login {
  kind: 'key' | 'own'
  /** The folder that holds `.claude.json`'s settings; undefined means claude's default. */
  configDirectory: string | undefined
  configFile: string
}

const credentialVariables = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']

/** A config folder the user names is theirs and stays as it is; a key or token gets our private one. */
export function detectLogin(privateDirectory: string, environment: NodeJS.ProcessEnv = process.env): Login {
  const named = environment['CLAUDE_CONFIG_DIR']
  if (named) return { kind: 'own', configDirectory: named, configFile: path.join(named, '.claude.json') }
  if (credentialVariables.some(name => environment[name])) {
    return { kind: 'key', configDirectory: privateDirectory, configFile: path.join(privateDirectory, '.claude.json') }
  }
  return {
    kind: 'own',
    configDirectory: undefined,
    configFile: path.join(environment['HOME'] || os.homedir(), '.claude.json'),
  }
}

/** The settings that reach every claude we start besides ours: the user's own, and those of whoever manages the machine. */
export function findSettingsFiles({ configDirectory }: Login, environment: NodeJS.ProcessEnv = process.env) {
  const folder = configDirectory ?? path.join(environment['HOME'] || os.homedir(), '.claude')
  const managed = process.platform === 'darwin' ? '/Library/Application Support/ClaudeCode' : '/etc/claude-code'
  const parts = path.join(managed, 'managed-settings.d')
  return {
    user: path.join(folder, 'settings.json'),
    managed: [path.join(managed, 'managed-settings.json'), ...listNames(parts).map(name => path.join(parts, name))],
  }
}

const ClaudeConfig = z.looseObject({
  projects: z.record(z.string(), z.looseObject({ hasTrustDialogAccepted: z.boolean().optional() })).optional(),
  customApiKeyResponses: z.looseObject({ approved: z.array(z.string()).optional() }).optional(),
})

/**
 * Make the first launch silent. Our private config is seeded (onboarding, this key, trust of `workspace`); the user's own
 * is only read, and a missing trust entry is exit 7 with the command that adds it. Trust is inherited by subfolders.
 */
export function prepareLogin(login: Login, workspace: string, apiKey = process.env['ANTHROPIC_API_KEY']): void {
  if (login.kind === 'own') {
    if (isTrusted(readClaudeConfig(login.configFile), workspace)) return
    throw new DispatchError(`claude does not yet trust ${workspace} (no entry in ${login.configFile})`, {
      exitCode: exitCodes.login,
      remedy: 'Run `dispatch setup`: it shows the one entry it adds, and asks.',
    })
  }
  makePrivateFolder(path.dirname(login.configFile))
  const before = readClaudeConfig(login.configFile)
  const after = seedConfig(before, workspace, apiKey)
  if (!isDeepStrictEqual(after, before)) writeAtomic(login.configFile, JSON.stringify(after, null, 2))
}

/** The config with what a silent first launch needs; everything else as it was. Pure. */
export function seedConfig(
  config: Record<string, unknown>,
  workspace: string,
  apiKey: string | undefined = process.env['ANTHROPIC_API_KEY'],
): Record<string, unknown> {
  const known = ClaudeConfig.parse(config)
  const approved = known.customApiKeyResponses?.approved ?? []
  const tail = apiKey?.slice(-20)
  return {
    ...known,
    hasCompletedOnboarding: true,
    customApiKeyResponses: {
      rejected: [],
      ...known.customApiKeyResponses,
      approved: tail && !approved.includes(tail) ? [...approved, tail] : approved,
    },
    projects: { ...known.projects, [workspace]: { ...known.projects?.[workspace], hasTrustDialogAccepted: true } },
  }
}

/** Does this config trust the folder, by itself or by a parent of it? Pure. */
export function isTrusted(config: Record<string, unknown>, folder: string): boolean {
  const projects = ClaudeConfig.parse(config).projects ?? {}
  for (let place = folder; ; place = path.dirname(place)) {
    if (projects[place]?.hasTrustDialogAccepted) return true
    if (place === path.dirname(place)) return false
  }
}

/** What claude keeps in `.claude.json`; exit 2 with the place where it is no plain JSON of that shape. */
export function readClaudeConfig(file: string): Record<string, unknown> {
  const text = readUserFile(file)
    ?.toString('utf8')
    .replace(/^\ufeff/, '')
  if (text === undefined) return {}
  const read = ClaudeConfig.safeParse(parsePlainJson(text))
  if (read.success) return read.data
  const { line, column } = findJsonProblem(text) ?? findPosition(text, (read.error.issues[0]?.path ?? []) as string[])
  throw new DispatchError(`${file}:${line}:${column}: it does not read as claude's configuration`, {
    exitCode: exitCodes.usage,
    remedy: 'Mend it or move it away, then run the command again.',
  })
}

function parsePlainJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where this is no plain JSON: claude takes a comment or a trailing comma in its configuration for damage. */
function findJsonProblem(text: string): { line: number; column: number } | undefined {
  const pieces = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\/[/*]|,(?=\s*[}\]])/g)]
  const loose = pieces.find(([piece]) => !piece.startsWith('"'))
  if (parseJsonc(text).problems[0] || loose === undefined) return parseJsonc(text).problems[0]
  const before = text.slice(0, loose.index).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** The one value in the user's `.claude.json` that lets claude work in a folder, and in all below it, without asking. */
export function createTrustEntry(folder: string): JsonEntry {
  return { path: ['projects', folder, 'hasTrustDialogAccepted'], value: true }
}

/** The user's own `settings.json`, whatever our sessions run with. */
export function findUserSettings(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = environment['CLAUDE_CONFIG_DIR'] || path.join(environment['HOME'] || os.homedir(), '.claude')
  return path.join(folder, 'settings.json')
}

/** One launch of claude, as data. */
export interface ClaudeLaunch {
  program: string
  model: string
  /** The file that becomes the end of the system prompt, byte for byte. */
  systemPromptFile: string
  settingsFile: string
  sessionId: string
  tools: string[]
  /** Headless only: dollars after which claude stops by itself. */
  budgetUsd?: number | undefined
}

/**
 * The arguments every launch shares. `--setting-sources user --strict-mcp-config` keep the settings, hooks and MCP
 * servers of a repository from running; `dontAsk` refuses what is not named instead of asking nobody.
 */
function buildSharedArguments({
  program,
  model,
  systemPromptFile,
  settingsFile,
  sessionId,
  tools,
}: ClaudeLaunch): string[] {
  return [
    program,
    '--model',
    model,
    '--append-system-prompt-file',
    systemPromptFile,
    '--session-id',
    sessionId,
    '--setting-sources',
    'user',
    '--strict-mcp-config',
    '--settings',
    settingsFile,
    '--tools',
    tools.join(','),
    '--allowedTools',
    tools.join(','),
    // Last, because --tools and --allowedTools swallow any plain words that follow them.
    '--permission-mode',
    'dontAsk',
  ]
}

/** Interactive, in a terminal; `opening` is the first prompt. */
export function buildInteractiveArguments(launch: ClaudeLaunch, opening: string): string[] {
  return [...buildSharedArguments(launch), opening]
}

/** Headless: the brief comes by stdin, one JSON object a line goes to stdout. */
export function buildHeadlessArguments(launch: ClaudeLaunch): string[] {
  const most = launch.budgetUsd === undefined ? [] : ['--max-budget-usd', launch.budgetUsd.toFixed(4)]
  return [...buildSharedArguments(launch), '-p', '--output-format', 'stream-json', '--verbose', ...most]
}

/** Settings of every claude we start, whichever role. */
export const claudeVariables: Record<string, string> = {
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1', // It fetches by git, also where other traffic is off.
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_SUBPROCESS_ENV_SCRUB: '0',
}

const Block = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('tool_use'), name: z.string(), input: z.record(z.string(), z.unknown()) }),
])

const StreamResult = z.looseObject({
  type: z.literal('result'),
  is_error: z.boolean(),
  subtype: z.string().optional(),
  result: z.string().optional(),
  total_cost_usd: z.number().optional(),
  num_turns: z.number().optional(),
  api_error_status: z.number().nullish(),
})

export type StreamResult = z.infer<typeof StreamResult>

/** What one line of stream-json tells us; unknown kinds and torn lines are undefined. */
export type StreamEvent =
  | { kind: 'said'; text: string }
  | { kind: 'used'; tool: string; on: string }
  | { kind: 'result'; result: StreamResult }

export function parseStreamLine(line: string): StreamEvent[] {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return []
  }
  const result = StreamResult.safeParse(value)
  if (result.success) return [{ kind: 'result', result: result.data }]
  const message = z
    .looseObject({ type: z.literal('assistant'), message: z.looseObject({ content: z.array(z.unknown()) }) })
    .safeParse(value)
  if (!message.success) return []
  return message.data.message.content.flatMap((candidate): StreamEvent[] => {
    const block = Block.safeParse(candidate)
    if (!block.success) return []
    if (block.data.type === 'text') return [{ kind: 'said', text: block.data.text }]
    const on = block.data.input['command'] ?? block.data.input['file_path'] ?? block.data.input['pattern'] ?? ''
    return [{ kind: 'used', tool: block.data.name, on: String(on) }]
  })
}

/** Why the terminal shows no working claude: a dialog or a message we know. Undefined when nothing is recognised. */
export function diagnoseScreen(screen: string): { reason: string; needsPerson: boolean } | undefined {
  const signs: [RegExp, string, boolean][] = [
    [
      /not logged in|please run \/login|select login method|invalid api key|oauth token (has )?expired/i,
      'claude is not logged in',
      true,
    ],
    [
      /do you trust the (files|contents)|trust this folder|is this a project you (created|trust)/i,
      'claude asks whether to trust the folder',
      true,
    ],
    [/choose the text style|let's get started/i, 'claude shows its first-run screens', true],
    [/detected a custom api key/i, 'claude asks whether to use the API key', true],
    [/unable to connect|failed to connect|connection (refused|error)/i, 'claude cannot reach its model', false],
  ]
  const sign = signs.find(([pattern]) => pattern.test(screen))
  return sign && { reason: sign[1], needsPerson: sign[2] }
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}
