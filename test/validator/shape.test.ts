import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Packet } from '../../validator/index.ts'
import { shapeOf } from '../../validator/shape.ts'
import { asked, good } from './bad-replies.ts'
import { configFor, saying, startGemini } from './gemini-server.ts'

const packet: Packet = { ...asked, packet: 'the packet', sha256: 'x', withheld: 0 }

test('the shape of a reply is in names and plain words, and nothing of what it says', () => {
  const body = {
    candidates: [
      { finishReason: 'MAX_TOKENS', content: { parts: [{ text: 'a secret', thought: true }, { text: 'C9 is ours' }] } },
    ],
    usageMetadata: { promptTokenCount: 77 },
    modelVersion: 'gemini-9',
    'a strange\u001b[31m name': 1,
  }
  const shape = shapeOf(JSON.stringify(body))
  assert.deepEqual(shape, [
    'judge reply: candidates, modelVersion, usageMetadata',
    'judge candidates: one',
    'judge candidate: content, finishReason',
    'judge finishReason: MAX_TOKENS',
    'judge content: parts',
    'judge part: text, thought',
    'judge usageMetadata: promptTokenCount',
    'judge modelVersion: gemini-9',
  ])
})

for (const body of [
  '',
  'null',
  '[]',
  '{"candidates":7,"usageMetadata":[]}',
  '{"candidates":[null,{"content":{"parts":{}}}]}',
])
  test(`what is no reply has a shape too: ${body || 'nothing'}`, () => {
    for (const line of shapeOf(body)) assert.match(line, /^judge [\w ]+: [\w, ]+$/)
  })

test('it is kept beside the judgement, also beside one that does not count', async () => {
  for (const [more, ok] of [
    [{}, true],
    [{ finishReason: 'MAX_TOKENS' }, false],
    [{ content: { parts: [{ text: '{' }] } }, false],
  ] as const) {
    const server = await startGemini(() => saying(good, more))
    try {
      const judged = await judge(packet, configFor(server.url))
      assert.equal(judged.ok, ok)
      assert.ok(judged.shape?.some(line => line.startsWith('judge finishReason: ')))
    } finally {
      server.close()
    }
  }
})
