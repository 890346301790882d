import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUserService, parseAgentState, parseUnitState } from '#host/user-service'

test('the state of a unit, as systemctl 252 tells it', () => {
  const running = 'MainPID=17278\nNRestarts=2\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n'
  assert.deepEqual(parseUnitState(running, true), { isInstalled: true, isEnabled: true, pid: 17278, restarts: 2 })
  const unknown = 'MainPID=0\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n'
  const nothing = { isInstalled: false, isEnabled: false, pid: undefined, restarts: 0 }
  assert.deepEqual(parseUnitState(unknown, false), nothing)
  assert.deepEqual(parseUnitState('', false), nothing)
  const waiting = 'MainPID=0\nNRestarts=4\nActiveState=activating\nUnitFileState=enabled\n'
  assert.deepEqual(parseUnitState(waiting, true), { isInstalled: true, isEnabled: true, pid: undefined, restarts: 4 })
})

/** By the manual and public reports; no Mac was at hand. */
const printed = `gui/501/claude-dispatch = {
\tactive count = 1
\tpath = /Library/LaunchAgents/claude-dispatch.plist
\ttype = LaunchAgent
\tstate = running

\tprogram = /bin/sh
\targuments = {
\t\t/bin/sh
\t\tpid = 7
\t}
\truns = 3
\tpid = 4711
\timmediate reason = speculative
\tlast exit code = 143
}
`

test('the state of a LaunchAgent, as launchctl prints it', () => {
  assert.deepEqual(parseAgentState(printed, true), { isInstalled: true, isEnabled: true, pid: 4711, restarts: 2 })
  const ended = printed.replace('\tpid = 4711\n', '')
  assert.equal(parseAgentState(ended, true).pid, undefined)
  assert.deepEqual(parseAgentState('', false), { isInstalled: false, isEnabled: false, pid: undefined, restarts: 0 })
})

test('each system has its place for the definition, and each home its name', () => {
  const usual = `${process.env['HOME']}/.claude-dispatch`
  assert.match(openUserService(usual, 'darwin').file, /\/Library\/LaunchAgents\/claude-dispatch\.plist$/)
  assert.match(openUserService(usual, 'linux').file, /\/systemd\/user\/claude-dispatch\.service$/)
  assert.match(openUserService('/other', 'linux').file, /\/claude-dispatch-[0-9a-f]{8}\.service$/)
})
