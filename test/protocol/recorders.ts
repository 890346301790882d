import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { seedConfig } from '#host/claude'
import { installFolder } from '#host/config'
import type { Rig } from '../fixtures/rig.ts'

/**
 * Record the input of every hook of every claude in a rig, with hooks in the user's settings. Start dispatch with
 * CLAUDE_CONFIG_DIR set to `configDirectory`; `read` returns the recordings.
 */
export function recordHooks(rig: Rig) {
  const [folder, configDirectory] = [path.join(rig.home, 'hooks'), path.join(rig.home, 'claude')]
  const command = `cat >"${folder}/$$-\${DISPATCH_WORKER:+worker}"`
  const { hooks } = JSON.parse(fs.readFileSync(path.join(installFolder, 'settings.json'), 'utf8'))
  const recorded = Object.keys(hooks).map(event => [event, [{ hooks: [{ type: 'command', command }] }]])
  const config = seedConfig({}, path.join(rig.home, 'dispatch/workspace'), rig.environment['ANTHROPIC_API_KEY'])
  for (const name of [folder, configDirectory]) fs.mkdirSync(name)
  fs.writeFileSync(path.join(configDirectory, '.claude.json'), JSON.stringify(config))
  fs.writeFileSync(path.join(configDirectory, 'settings.json'), JSON.stringify({ hooks: Object.fromEntries(recorded) }))
  const read = () =>
    fs.readdirSync(folder).map(name => ({
      agent: name.endsWith('-worker') ? 'a worker' : 'the orchestrator',
      input: fs.readFileSync(path.join(folder, name), 'utf8'),
    }))
  return { configDirectory, read }
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
