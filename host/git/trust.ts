import { pickVariables } from '../config/environment.ts'
import { runProgram } from '../exec.ts'
import { SECOND_MS } from '../time.ts'

/**
 * Does git, as the user has set it, refuse the repository of this folder because another user owns it? Then what git says
 * to run; undefined otherwise. Git itself decides, so `safe.directory` counts in every form and from every file that it may
 * be in. This runs nothing that a repository names.
 */
export async function findTrustCommand(cwd: string): Promise<string | undefined> {
  const settings = Object.keys(process.env).filter(name => /^(GIT_CONFIG_|XDG_CONFIG_HOME$|SUDO_UID$)/.test(name))
  const env = { ...pickVariables(['PATH', 'HOME', ...settings]), LANG: 'C', GIT_OPTIONAL_LOCKS: '0' }
  const { stderr } = await runProgram('git', ['rev-parse', '--git-dir'], { cwd, env, timeoutMs: 10 * SECOND_MS })
  if (!/dubious ownership/.test(stderr)) return undefined
  return /^\s*(git config --global --add safe\.directory .+)$/m.exec(stderr)?.[1]
}

/** A git configuration in which only these folders are trusted, for a child of git that reads no other. Pure. */
export function formatTrust(folders: string[]): string {
  const quote = (text: string) => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
  return ['[safe]', ...folders.map(folder => `\tdirectory = ${quote(folder)}`), ''].join('\n')
}
