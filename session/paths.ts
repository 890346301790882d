import path from 'node:path'

/** The only place that joins a path inside a session. `workspace/README.md` tells the same in prose. */
export function resolveSessionPaths(folder: string) {
  const at = (...names: string[]) => path.join(folder, ...names)
  return {
    folder,
    task: at('task.md'),
    /** CLAUDE.md and AGENTS.md of the base, as every agent is given them. */
    instructions: at('instructions.md'),
    /** Files that git ignores and the project needs, as they were when the session began. */
    ignoredFiles: at('ignored-files'),
    manifest: at('session.json'),
    plan: at('plan.md'),
    contract: at('contract.md'),
    /** Each version as it was sealed, from 1; `contract.md` is the last. */
    contractVersion: (version: number) => at('evidence', `contract-${version}.md`),
    events: at('events.jsonl'),
    outputs: at('outputs'),
    evidence: at('evidence'),
    /** Our own bare repository of the trees we judged. */
    bareRepository: at('evidence', 'repository.git'),
    verdictText: at('verdict.md'),
    verdictRecord: at('verdict.json'),
    orchestratorFolder: at('orchestrator'),
    requests: at('orchestrator', 'requests'),
    hookInbox: at('hook-inbox'),
    replies: at('replies'),
    /** What the human said by a command: each word, what became of it, and the contracts they were asked to approve. */
    messages: at('messages'),
    /** While this file is there, the orchestrator's Stop hook prints it and so keeps the turn going. */
    stopGate: at('stop-gate.json'),
    /** What the guard hook lets the orchestrator write. */
    writeAllowlist: at('write-allowlist'),
    systemPrompt: at('system-prompt.md'),
    launchScript: at('launch.sh'),
    /** How each window of its terminal is started, and where. */
    windows: at('windows'),
    /** A request to close the session, with its reason. */
    stopRequest: at('stop-request'),
    /** What the orchestrator's sandbox lets it do, its place for temporary files, and claude's own folder for it. */
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
    /** The same for git on its behalf. */
    gitSandboxPolicy: at('sandbox-git.json'),
    tempFolder: at('tmp'),
    claudeFolder: at('claude-config'),
    writeAllowlist: at('write-allowlist'),
    stream: at('stream.jsonl'),
    errors: at('stderr.txt'),
    /** The stream as a person reads it; what the worker's window shows. */
    output: at('output.txt'),
    report: at('report.md'),
    exit: at('exit.json'),
  }
}
