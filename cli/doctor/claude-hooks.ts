import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildHeadlessArguments, claudeVariables, findClaude } from '#host/claude'
import { pickVariables } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { toOneLine } from '#host/text.ts'
import { prepareAgentFolder, readInbox } from './hook-commands.ts'
import { type DoctorResult, fail, ok } from './result.ts'

/**
 * Does the real claude run the hooks? One headless prompt in an empty configuration, to a closed port on this machine. It
 * takes a second and no model. It is needed because claude ignores a settings file that it does not like without a message.
 */
export async function checkClaudeRunsHooks(install: string): Promise<DoctorResult[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  try {
    const program = findClaude()
    for (const name of ['home', 'config']) fs.mkdirSync(path.join(folder, name))
    const env = buildEnvironment(folder, install)
    const [, ...args] = buildHeadlessArguments({
      program,
      model: 'opus',
      systemPromptFile: '/dev/null',
      settingsFile: path.join(install, 'settings.json'),
      sessionId: randomUUID(),
      tools: [],
    })
    const result = await runProgram(program, args, { env, cwd: folder, input: 'doctor', timeoutMs: CLAUDE_TIMEOUT_MS })
    const events = readInbox(path.join(folder, 'hook-inbox'))
    const missing = ['SessionStart', 'UserPromptSubmit'].filter(
      name => !events.some(text => text.includes(`"${name}"`)),
    )
    if (missing.length === 0) return [ok('hooks', `claude runs them (${result.milliseconds} ms)`)]
    const output = toOneLine(result.stderr || result.stdout, 160)
    return [
      fail(
        'hooks',
        `claude did not run ${missing.join(' and ')}, so no session can start${output === '' ? '' : `: ${output}`}`,
        'Update claude (`claude update`). If that does not help, this machine may forbid hooks: `claude /doctor` shows it',
      ),
    ]
  } catch (error) {
    if (error instanceof DispatchError) return [] // There is no claude; another check reports that.
    throw error
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

const CLAUDE_TIMEOUT_MS = 20_000

function buildEnvironment(folder: string, install: string): Record<string, string> {
  return {
    ...prepareAgentFolder(folder, install),
    ...claudeVariables,
    ...pickVariables(['PATH', 'TMPDIR']),
    HOME: path.join(folder, 'home'),
    CLAUDE_CONFIG_DIR: path.join(folder, 'config'),
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    ANTHROPIC_API_KEY: 'doctor',
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
}
