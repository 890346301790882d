/** What a service runs, and with which environment. Every path is absolute and has no line break. */
export interface ServicePlan {
  home: string
  /** The install of dispatch. */
  installFolder: string
  logsFolder: string
  variables: Record<string, string>
}

/** How long the system waits before it starts the daemon again. */
export const RESTART_SECONDS = 2
/** A start from the queue is waited for at the end, and may take a minute. */
export const STOP_SECONDS = 90

/**
 * The unit of systemd. `KillMode=process`: only the daemon is ended at a restart, not what it has started, and `OOMPolicy=continue`:
 * the death of a worker for lack of memory does not end the daemon. Pure.
 */
export function composeUnit({ home, installFolder, logsFolder, variables }: ServicePlan): string {
  const command = ['/bin/sh', quoteArgument(`${installFolder}/bin/dispatch`), 'daemon'].join(' ')
  const environment = Object.entries(variables).map(([name, value]) => `Environment=${quoteValue(`${name}=${value}`)}`)
  return `# Written by \`dispatch service install\`, removed by \`dispatch service uninstall\`. Your own changes belong into a
# drop-in: systemctl --user edit <this unit>. Keys do not belong here: put them into ${home}/.env.
[Unit]
Description=Claude Dispatch: ${escapeSpecifiers(home)}
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=${command}
WorkingDirectory=/
${environment.join('\n')}
StandardInput=null
StandardOutput=null
StandardError=append:${escapeSpecifiers(logsFolder)}/daemon.log
Restart=always
RestartSec=${RESTART_SECONDS}
KillMode=process
TimeoutStopSec=${STOP_SECONDS}
OOMPolicy=continue
TasksMax=infinity

[Install]
WantedBy=default.target
`
}

// --- internal ---

const escapeSpecifiers = (text: string) => text.replaceAll('%', '%%')

/** A value of `Environment=`, in which a dollar is a dollar. */
function quoteValue(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
    .replace(/[\x01-\x1f\x7f]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return `"${escapeSpecifiers(escaped)}"`
}

/** An argument of `ExecStart=` after the program, in which a dollar begins a variable. */
function quoteArgument(text: string): string {
  return quoteValue(text).replaceAll('$', '$$$$')
}
