import path from 'node:path'

/** The files of a session. `workspace/README.md` describes each of them. */
export function resolveSessionPaths(folder: string) {
  const join = (...names: string[]) => path.join(folder, ...names)
  return {
    folder,
    task: join('task.md'),
    /** CLAUDE.md and AGENTS.md of the base, as every agent gets them. */
    instructions: join('instructions.md'),
    /** Files that git ignores and the project needs, copied when the session was opened. */
    ignoredFiles: join('ignored-files'),
    manifest: join('session.json'),
    plan: join('plan.md'),
    contract: join('contract.md'),
    /** Each sealed version, from 1. `contract.md` is the last one. */
    contractVersion: (version: number) => join('evidence', `contract-${version}.md`),
    events: join('events.jsonl'),
    outputs: join('outputs'),
    evidence: join('evidence'),
    /** The record of one check by its id, such as `round-1-C1`, and the output of its command. */
    evidenceRecord: (id: string) => join('evidence', `${id}.json`),
    evidenceOutput: (id: string) => join('evidence', `${id}.txt`),
    /** What the services printed that ran beside a check. */
    serviceOutput: (id: string) => join('evidence', `${id}.services.txt`),
    /** What the judge received in a round, what it answered, and the verdict that followed. */
    packet: (round: number) => join('evidence', `packet-${round}.txt`),
    judgeAnswer: (round: number) => join('evidence', `judge-${round}.json`),
    /** What is needed to ask the judge again about a round: the packet, what is checked in its reply, and the gates. */
    judgeQuestion: (round: number) => join('evidence', `question-${round}.json`),
    /** What was found out before the work was pushed to a branch, for each try. */
    landingRecord: (number: number) => join('evidence', `landing-${number}.json`),
    landingAnswer: (number: number) => join('evidence', `landing-${number}-judge.json`),
    landingPacket: (number: number) => join('evidence', `landing-${number}-packet.txt`),
    roundVerdict: (round: number) => join('evidence', `verdict-${round}.json`),
    /** What the commands printed that install the dependencies with this cache key. */
    setupOutput: (cacheKey: string) => join('evidence', `setup-${cacheKey.slice(0, 8)}.txt`),
    /** The bare repository with the base and every judged tree. */
    bareRepository: join('evidence', 'repository.git'),
    /** The objects of the base, for `outputs/`: agents may read them, and nothing writes them again. */
    baseObjects: join('base-objects'),
    /** What git saw of each file in `outputs/` after the verdict. */
    verdictIndex: (commit: string) => join('evidence', 'repository.git', `index-${commit}`),
    /** Content of Git LFS that workers made, and a file that says where the user's repository has its own. */
    lfsObjects: join('evidence', 'lfs'),
    lfsSource: join('evidence', 'lfs-source.txt'),
    /** Files of the base that git would call changed as soon as they are checked out. */
    unnormalizedFiles: join('evidence', 'unnormalized-files.txt'),
    verdictText: join('verdict.md'),
    verdictRecord: join('verdict.json'),
    orchestratorFolder: join('orchestrator'),
    draftContract: join('orchestrator', 'contract.md'),
    draftPlan: join('orchestrator', 'plan.md'),
    requests: join('orchestrator', 'requests'),
    hookInbox: join('hook-inbox'),
    replies: join('replies'),
    /** The human's messages and their replies, and the contracts that await approval. */
    messages: join('messages'),
    /** While this file exists, the orchestrator's Stop hook prints it, which keeps the turn going. */
    stopGate: join('stop-gate.json'),
    /** The paths that the guard hook lets the orchestrator write. */
    writeAllowlist: join('write-allowlist'),
    systemPrompt: join('system-prompt.md'),
    launchScript: join('launch.sh'),
    agentGitConfig: join('agent-gitconfig'),
    /** What the orchestrator's claude last said that it has cost. */
    costReport: join('orchestrator', '.cost.json'),
    /** The settings that every agent's claude gets. */
    claudeSettings: join('claude-settings.json'),
    /** The command and the folder of each window of its terminal. */
    windows: join('windows'),
    /** What removing it would free, measured after it had ended. */
    size: join('size.json'),
    /** A request to close the session, with its reason. */
    stopRequest: join('stop-request'),
    /** The orchestrator's sandbox policy, its temporary files, and claude's folder for it. */
    sandboxPolicy: join('sandbox.json'),
    tempFolder: join('tmp'),
    claudeFolder: join('claude-config'),
    writeLock: join('.write-lock'),
    runnerLease: join('.runner-lease'),
    workers: join('workers'),
    worker: (name: string) => resolveWorkerPaths(join('workers', name)),
  }
}

export type SessionPaths = ReturnType<typeof resolveSessionPaths>

function resolveWorkerPaths(folder: string) {
  const join = (name: string) => path.join(folder, name)
  return {
    folder,
    brief: join('brief.md'),
    systemPrompt: join('system-prompt.md'),
    launchScript: join('launch.sh'),
    sandboxPolicy: join('sandbox.json'),
    /** The sandbox policy of the git commands that dispatch runs for the worker. */
    gitSandboxPolicy: join('sandbox-git.json'),
    tempFolder: join('tmp'),
    /** The home of the programs that it runs, with their caches. It is removed when the worker has ended. */
    toolHome: join('tmp/home'),
    claudeFolder: join('claude-config'),
    writeAllowlist: join('write-allowlist'),
    /** The message for the commit of what it leaves uncommitted. */
    commitMessage: join('commit-message.txt'),
    /** Globs of the files that it owns. */
    files: join('files'),
    process: join('process.json'),
    quarantinedFiles: join('quarantined.txt'),
    stream: join('stream.jsonl'),
    errors: join('stderr.txt'),
    /** The stream as text for a person: what the worker's window shows. */
    output: join('output.txt'),
    report: join('report.md'),
    exit: join('exit.json'),
    /** Exists while claude runs; renamed to the other one while dispatch ends a claude that hangs. */
    claudeRunning: join('claude.running'),
    claudeEnding: join('claude.ending'),
  }
}
