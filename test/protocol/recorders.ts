import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { findClaude } from '#host/claude'
import type { Rig } from '../fixtures/rig.ts'

/**
 * Record the input of every hook of every claude in a rig. Start dispatch with `path` as PATH: its `claude` adds the recording
 * hooks to the settings that dispatch passes. `read` returns the recordings.
 */
export function recordHooks(rig: Rig) {
  const [folder, bin] = [path.join(rig.home, 'hooks'), path.join(rig.home, 'recording')]
  for (const name of [folder, bin]) fs.mkdirSync(name)
  const merge = path.join(bin, 'merge.mjs')
  fs.writeFileSync(
    merge,
    `import fs from 'node:fs'
const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const command = 'cat >"${folder}/$$-\${DISPATCH_WORKER:+worker}"'
for (const groups of Object.values(settings.hooks)) groups.push({ hooks: [{ type: 'command', command }] })
const file = '${bin}/settings-' + process.pid + '.json'
fs.writeFileSync(file, JSON.stringify(settings))
console.log(file)
`,
  )
  const script = `#!/bin/sh
for word; do
  shift
  [ "$last" = --settings ] && word=$('${process.execPath}' '${merge}' "$word")
  last=$word
  set -- "$@" "$word"
done
exec '${findClaude()}' "$@"
`
  fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 })
  const read = () =>
    fs.readdirSync(folder).map(name => ({
      agent: name.endsWith('-worker') ? 'a worker' : 'the orchestrator',
      input: fs.readFileSync(path.join(folder, name), 'utf8'),
    }))
  return { path: `${bin}:${rig.environment['PATH']}`, read }
}

/** A loopback server that forwards requests to the Gemini API at `target`, and records the bodies of the replies. */
export async function recordGemini(target: string) {
  const replies: string[] = []
  const server = http.createServer(async (request, response) => {
    const { 'x-goog-api-key': key = '', 'content-type': type = '' } = request.headers
    const reply = await fetch(target + request.url, {
      method: 'POST',
      headers: { 'x-goog-api-key': String(key), 'content-type': type },
      body: await text(request),
    })
    const body = await reply.text()
    if (reply.ok) replies.push(body)
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, replies, close }
}
