/** Compares the prices by which dispatch estimates with those of the installed claude, which a new version may change. */
import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { claudeVariables } from '#host/claude'
import { estimateUsd } from '#host/claude/lines'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { parseJson } from '#host/json.ts'
import { createScratchFolder, HANG_MS } from '../fixtures/scratch.ts'

/** The tokens of one answer, all different, so that no price can stand in for another. */
const usage = {
  input_tokens: 1_000_000,
  output_tokens: 100_000,
  cache_read_input_tokens: 30_000_000,
  cache_creation_input_tokens: 3_000_000,
  cache_creation: { ephemeral_5m_input_tokens: 1_000_000, ephemeral_1h_input_tokens: 2_000_000 },
}

for (const model of ['opus', 'sonnet', 'haiku', 'fable', 'a-model-of-another-vendor'])
  test(`what ${model} costs`, async t => {
    const { cost, name } = await askClaude(t, model)
    const estimate = estimateUsd({
      id: '',
      model: name,
      input: usage.input_tokens,
      output: usage.output_tokens,
      cacheRead: usage.cache_read_input_tokens,
      cacheWrite: usage.cache_creation.ephemeral_5m_input_tokens,
      longCacheWrite: usage.cache_creation.ephemeral_1h_input_tokens,
    })
    assert.equal(
      estimate.toFixed(4),
      cost.toFixed(4),
      `claude counts ${name} otherwise: correct host/claude/lines/token-cost.ts`,
    )
  })

/** The figure of a headless claude after one answer with these tokens, and the name by which it asked for the model. */
async function askClaude(t: TestContext, model: string): Promise<{ cost: number; name: string }> {
  const home = createScratchFolder(t)
  let name = ''
  const server = http.createServer(async (request, response) => {
    const body = await text(request)
    if (!request.url?.startsWith('/v1/messages?')) return void response.writeHead(404).end()
    name = (JSON.parse(body) as { model: string }).model
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: name, content: [], stop_reason: null }
    const events = [
      { type: 'message_start', message: { ...message, usage: { ...usage, output_tokens: 0 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Done.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: usage.output_tokens } },
      { type: 'message_stop' },
    ]
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => void server.close())
  const claude = path.join(installFolder, 'node_modules/.bin/claude')
  const ran = await runProgram(claude, ['--model', model, '-p', '--output-format', 'json', '--tools', 'Read'], {
    cwd: home,
    input: 'hello',
    timeoutMs: HANG_MS,
    env: {
      ...claudeVariables,
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      CLAUDE_CONFIG_DIR: home,
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ANTHROPIC_API_KEY: 'scripted',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  })
  const { total_cost_usd: cost } = (parseJson(ran.stdout) ?? {}) as { total_cost_usd?: number }
  assert.ok(cost !== undefined, ran.stdout + ran.stderr)
  return { cost, name }
}
