import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { composeLaunchAgent, composeUnit } from '#host/user-service'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { parseUnit } from '../../fixtures/service-stand-in/parse-unit.ts'

/** What a path or a value may contain, and systemd or XML reads as something else. */
const odd = `a b%h $HOME $\{X} "q" 's' \\n <&> ü`

const plan = {
  home: `/home of ${odd}`,
  installFolder: `/opt/${odd}`,
  logsFolder: `/var/${odd}/logs`,
  variables: { PATH: `/usr/bin:/${odd}`, NOTE: 'line one\nline two\ttab\u0001end', EMPTY: '' },
}

test('a unit gives back every character of its values', () => {
  const unit = parseUnit(composeUnit(plan))
  assert.deepEqual(unit.command, ['/bin/sh', `/opt/${odd}/bin/dispatch`, 'daemon'])
  assert.deepEqual(unit.variables, plan.variables)
  assert.equal(unit.errorFile, `/var/${odd}/logs/daemon.log`)
  assert.equal(unit.killMode, 'process')
})

const hasVerify = spawnSync('systemd-analyze', ['--version']).status === 0

test('systemd takes a unit without a remark', {
  skip: hasVerify ? false : 'systemd-analyze is not installed (apt-get install systemd)',
}, t => {
  const file = path.join(createScratchFolder(t), 'claude-dispatch.service')
  fs.writeFileSync(file, composeUnit(plan))
  const env = { PATH: process.env['PATH'] ?? '', HOME: path.dirname(file), XDG_RUNTIME_DIR: path.dirname(file) }
  const ran = spawnSync('systemd-analyze', ['--user', '--man=no', 'verify', file], { env, encoding: 'utf8' })
  const about = ran.stderr.split('\n').filter(line => line.includes('claude-dispatch.service'))
  assert.deepEqual([ran.status, about], [0, []])
})

test('a LaunchAgent is this very text', () => {
  const text = composeLaunchAgent('claude-dispatch', {
    ...plan,
    installFolder: '/opt/a&b <1>',
    logsFolder: '/logs',
    variables: { PATH: '/usr/bin:/"q"', NOTE: 'ü\u0001\r' },
  })
  assert.equal(
    text,
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by \`dispatch service install\`, removed by \`dispatch service uninstall\`. Keys do not belong here. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>claude-dispatch</string>
  <key>ProgramArguments</key>
  <array>
    <string>/bin/sh</string>
    <string>/opt/a&amp;b &lt;1&gt;/bin/dispatch</string>
    <string>daemon</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>/usr/bin:/"q"</string>
    <key>NOTE</key>
    <string>ü&#13;</string>
  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  <string>/logs/daemon.log</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>2</integer>
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ProcessType</key>
  <string>Interactive</string>
  <key>ExitTimeOut</key>
  <integer>90</integer>
</dict>
</plist>
`,
  )
})
