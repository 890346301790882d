import fs from 'node:fs'
import path from 'node:path'
import type { Rig } from '../rig.ts'

/**
 * A program that plays claude's start and nothing else: it answers its version, keeps its arguments beside its session, lets
 * the hooks that settings.json names say that a first turn began, and then waits. No model, and 1.5 s cheaper than claude.
 */
const script = `#!/bin/sh
if [ "$1" = --version ]; then echo "\${RECORDER_VERSION:-2.1.329} (Claude Code)"; exit; fi
folder=\${DISPATCH_SPOOL%/*}
while [ $# -gt 0 ]; do
  printf '%s\\n' "$1" >>"$folder/recorded"
  [ "$1" = --session-id ] && session=$2
  shift
done
for event in SessionStart UserPromptSubmit; do
  printf '{"hook_event_name":"%s","session_id":"%s"}' "$event" "$session" | sh "$DISPATCH_HOOKS/record"
done
exec sleep 600
`

/** Lay the recorder on a path of its own; answers the PATH that finds it first. */
export function installRecorder(rig: Rig): string {
  const bin = path.join(rig.home, 'recorder')
  fs.mkdirSync(bin, { recursive: true })
  fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 })
  return `${bin}:${rig.environment['PATH']}`
}
