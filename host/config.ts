import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parse } from 'dotenv'
import { z } from 'zod'
import { DispatchError, exits } from './error.ts'
import { readIfPresent } from './files.ts'

const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most)

/** Every setting: its name, its default and its limits. `.env.example` says the same in prose, and a test compares them. */
export const settings = z.object({
  GEMINI_API_KEY: z.string().default(''),
  GOOGLE_GEMINI_BASE_URL: z.union([z.literal(''), z.url()]).default(''),
  JUDGE_MODEL: z.string().min(1).default('gemini-2.5-pro'),
  JUDGE_TIMEOUT_SEC: number(1, 3600).default(180),
  ORCHESTRATOR_MODEL: z.string().min(1).default('opus'),
  CODE_MODEL: z.string().min(1).default('opus'),
  RW_MODEL: z.string().min(1).default('sonnet'),
  ROUNDS: number(1, 20).default(3),
  START_TIMEOUT_SEC: number(1, 3600).default(60),
  WORKER_TIMEOUT_SEC: number(1, 86_400).default(3600),
  CHECK_TIMEOUT_SEC: number(1, 3600).default(120),
  KEEP_OPEN_SEC: number(0, 604_800).default(3600),
  WATCHDOG_TIMEOUT_SEC: number(5, 86_400).default(900),
  WEBUI_PORT: number(0, 65_535).default(7777),
  DESKTOP: z.enum(['on', 'off']).default('on'),
  NTFY_SERVER: z.url().default('https://ntfy.sh'),
  NTFY_TOPIC: z
    .string()
    .regex(/^[-_A-Za-z0-9]{0,64}$/, 'letters, digits, - and _ only')
    .default(''),
  NTFY_TOKEN: z.string().default(''),
})

export type Settings = z.infer<typeof settings>

/** The settings, and the places of one DISPATCH_HOME. */
export interface Config extends Settings {
  home: string
  workspace: string
  /** The private Claude config, used when a key or a token is in the environment. */
  claude: string
  logs: string
  /** Our own install: the folder that holds `bin/`. */
  install: string
}

export const install = path.resolve(import.meta.dirname, '..')

/** Read the environment and `$DISPATCH_HOME/.env` once. The environment wins. Every problem is reported at once (exit 2). */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const home = homeOf(environment)
  const file = path.join(home, '.env')
  const written = parse(readIfPresent(file) ?? '')
  const problems = Object.keys(written)
    .filter(name => !Object.hasOwn(settings.shape, name))
    .map(name => `${file}: ${name} is not a setting of ours`)
  const given = Object.keys(settings.shape).flatMap(name => {
    const value = environment[name] ?? written[name]
    return value === undefined || (value === '' && name !== 'NTFY_TOPIC') ? [] : [[name, value]]
  })
  const parsed = settings.safeParse(Object.fromEntries(given))
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0])
    problems.push(`${environment[name] === undefined ? file : 'environment'}: ${name}: ${issue.message}`)
  }
  if (!parsed.success || problems.length > 0) {
    throw new DispatchError(`the settings do not read:\n  ${problems.join('\n  ')}`, {
      exit: exits.usage,
      remedy: '`.env.example` lists every setting.',
    })
  }
  return {
    ...parsed.data,
    home,
    workspace: path.join(home, 'workspace'),
    claude: path.join(home, 'claude'),
    logs: path.join(home, 'logs'),
    install,
  }
}

/** `$DISPATCH_HOME`, or `~/.claude-dispatch`; absolute, and free of line breaks. */
function homeOf(environment: NodeJS.ProcessEnv): string {
  const home = environment['DISPATCH_HOME'] || path.join(environment['HOME'] || os.homedir(), '.claude-dispatch')
  if (!path.isAbsolute(home) || /[\n\r\0]/.test(home)) {
    throw new DispatchError(`DISPATCH_HOME must be an absolute path without line breaks: ${JSON.stringify(home)}`, {
      exit: exits.usage,
    })
  }
  return realPath(path.resolve(home))
}

/** The path without links, as far as it exists: claude and git name files by it, and our guards compare with them. */
function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder)
  } catch {
    return folder === path.dirname(folder) ? folder : path.join(realPath(path.dirname(folder)), path.basename(folder))
  }
}

/**
 * What an agent's process inherits besides what we set: the way to its model, and nothing of ours. Names only; tmux
 * carries the values (they never stand in an argument list).
 */
export const agentVariables = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_MODEL',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'AWS_PROFILE',
  'AWS_REGION',
  'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
]

/** The values of the named variables that are set now. */
export function variables(names: string[], environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] ? [[name, environment[name]]] : [])))
}

/** What a check is given: a path, a home of its own, a plain language. Nothing else of the user's. */
export function checkEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', CI: '1' }
}

/** What a short-lived process of ours (the judge, a push) is given: all that this one has, and Node's own way through a proxy. */
export function ownEnvironment(): Record<string, string> {
  const own = variables(Object.keys(process.env))
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => own[name])
    ? { ...own, NODE_USE_ENV_PROXY: '1' }
    : own
}
