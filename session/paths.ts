import path from 'node:path'

/** The files of a session. `workspace/README.md` describes each of them. */
export function resolveSessionPaths(folder: string) {
  const at = (...names: string[]) => path.join(folder, ...names)
  return {
    folder,
    task: at('task.md'),
    /** CLAUDE.md and AGENTS.md of the base, as every agent gets them. */
    instructions: at('instructions.md'),
    /** Files that git ignores and the project needs, copied when the session was opened. */
    ignoredFiles: at('ignored-files'),
    manifest: at('session.json'),
    plan: at('plan.md'),
    contract: at('contract.md'),
    /** Each sealed version, from 1. `contract.md` is the last one. */
    contractVersion: (version: number) => at('evidence', `contract-${version}.md`),
    events: at('events.jsonl'),
    outputs: at('outputs'),
    evidence: at('evidence'),
    /** The bare repository with the base and every judged tree. */
    bareRepository: at('evidence', 'repository.git'),
    verdictText: at('verdict.md'),
    verdictRecord: at('verdict.json'),
    orchestratorFolder: at('orchestrator'),
    requests: at('orchestrator', 'requests'),
    hookInbox: at('hook-inbox'),
    replies: at('replies'),
    /** The human's messages and their replies, and the contracts that await approval. */
    messages: at('messages'),
    /** While this file exists, the orchestrator's Stop hook prints it, which keeps the turn going. */
    stopGate: at('stop-gate.json'),
    /** The paths that the guard hook lets the orchestrator write. */
    writeAllowlist: at('write-allowlist'),
    systemPrompt: at('system-prompt.md'),
    launchScript: at('launch.sh'),
    /** The command and the folder of each window of its terminal. */
    windows: at('windows'),
    /** A request to close the session, with its reason. */
    stopRequest: at('stop-request'),
    /** The orchestrator's sandbox policy, its temporary files, and claude's folder for it. */
    sandboxPolicy: at('sandbox.json'),
    tempFolder: at('tmp'),
    claudeFolder: at('claude-config'),
    writeLock: at('.write-lock'),
    runnerLease: at('.runner-lease'),
    workers: at('workers'),
    worker: (name: string) => resolveWorkerPaths(at('workers', name)),
  }
}

export type SessionPaths = ReturnType<typeof resolveSessionPaths>

function resolveWorkerPaths(folder: string) {
  const at = (name: string) => path.join(folder, name)
  return {
    folder,
    brief: at('brief.md'),
    systemPrompt: at('system-prompt.md'),
    launchScript: at('launch.sh'),
    sandboxPolicy: at('sandbox.json'),
    /** The sandbox policy of the git commands that dispatch runs for the worker. */
    gitSandboxPolicy: at('sandbox-git.json'),
    tempFolder: at('tmp'),
    claudeFolder: at('claude-config'),
    writeAllowlist: at('write-allowlist'),
    stream: at('stream.jsonl'),
    errors: at('stderr.txt'),
    /** The stream as text for a person: what the worker's window shows. */
    output: at('output.txt'),
    report: at('report.md'),
    exit: at('exit.json'),
  }
}
