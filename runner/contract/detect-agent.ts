import type { Config } from '#host/config'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, explainAgent, listAncestors } from '#host/process'
import { openTmux } from '#host/tmux'
import { listSessions, type Session } from '#session'

/** Why a process may not approve for the human; undefined if it may. A command asks this of itself, and the runner of the command. */
export async function detectAgent(session: Session, home: string, pid: number): Promise<string | undefined> {
  const runner = readLeaseHolder(session.paths.runnerLease)?.pid ?? process.pid
  const [own] = runner === pid ? [] : await listAncestors(runner)
  return explainAgent(await listAncestors(pid), {
    variableNames: agentVariableNames,
    terminals: await openTmux(home).listTerminals(),
    // The flag identifies an agent only if people do not have it. A person started the runner, so it shows that.
    hasNoNewPrivileges: session.manifest.requiresApproval && own?.hasNoNewPrivileges === false,
  })
}

/** Why a process may not send a message: its environment marks it as an agent of dispatch. */
export async function detectAgentMark(pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), {
    variableNames: ['DISPATCH_SESSION', 'DISPATCH_ROLE'],
    terminals: [],
    hasNoNewPrivileges: false,
  })
}

/** Why a process may not confirm a command for the human: it was started by a claude, or by an agent of any session. */
export async function detectAnyAgent({ home, workspace }: Config, pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), {
    variableNames: agentVariableNames,
    terminals: await openTmux(home).listTerminals(),
    hasNoNewPrivileges: await hasUnprivilegedAgents(workspace),
  })
}

// --- internal ---

/** Variables in the environment of dispatch's agents, and of every process that a claude starts. */
const agentVariableNames = ['DISPATCH_SESSION', 'DISPATCH_ROLE', 'CLAUDECODE']

/** True if a session runs agents with `no_new_privs` by a runner without it: then that flag identifies an agent. */
async function hasUnprivilegedAgents(workspace: string): Promise<boolean> {
  for (const { manifest, paths } of listSessions(workspace)) {
    const runner = readLeaseHolder(paths.runnerLease)
    if (!manifest.requiresApproval || runner === undefined) continue
    if (['dead', 'elsewhere'].includes(await checkLiveness(runner))) continue
    if ((await listAncestors(runner.pid))[0]?.hasNoNewPrivileges === false) return true
  }
  return false
}
