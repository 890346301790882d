import { RESTART_SECONDS, type ServicePlan, STOP_SECONDS } from './unit.ts'

/**
 * The property list of a LaunchAgent. `AbandonProcessGroup` is what `KillMode=process` is for systemd. A job of another type than
 * `Interactive` would have its processors throttled, and so would the agents that it starts. Without
 * `ThrottleInterval` launchd waits ten seconds before it starts it again. Pure.
 */
export function composeLaunchAgent(label: string, { installFolder, logsFolder, variables }: ServicePlan): string {
  const command = ['/bin/sh', `${installFolder}/bin/dispatch`, 'daemon']
  const environment = Object.entries(variables).flatMap(([name, value]) => [
    `    <key>${escapeXml(name)}</key>`,
    `    <string>${escapeXml(value)}</string>`,
  ])
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by \`dispatch service install\`, removed by \`dispatch service uninstall\`. Keys do not belong here. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escapeXml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map(argument => `    <string>${escapeXml(argument)}</string>`).join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${environment.join('\n')}
  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(logsFolder)}/daemon.log</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>${RESTART_SECONDS}</integer>
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ProcessType</key>
  <string>Interactive</string>
  <key>ExitTimeOut</key>
  <integer>${STOP_SECONDS}</integer>
</dict>
</plist>
`
}

// --- internal ---

/** Text of an XML document. Control characters cannot be written in one, and are left out. */
function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is left out
      .replace(/[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('\r', '&#13;')
  )
}
