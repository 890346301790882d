import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openWaitingServer } from '#host/waiting-server.ts'

const onLoopback = { port: 0, host: '127.0.0.1' }

test('a connection waits until what answers is loaded', async () => {
  const answered: string[] = []
  const server = await openWaitingServer(onLoopback, async () => ({
    answer: client => client.on('data', data => client.end(`got ${data}`)),
    close: async () => void answered.push('closed'),
  }))
  const client = net.connect((server.address as AddressInfo).port, '127.0.0.1')
  client.on('data', data => answered.push(String(data)))
  client.write('hello')
  await once(client, 'connect')
  assert.deepEqual(answered, [])
  await server.serve()
  await once(client, 'close')
  await server.close()
  assert.deepEqual(answered, ['got hello', 'closed'])
})

test('connections are closed where nothing can answer', async () => {
  const server = await openWaitingServer(onLoopback, async () => {
    throw new Error('not loaded')
  })
  const client = net.connect((server.address as AddressInfo).port, '127.0.0.1')
  client.on('error', () => undefined)
  await assert.rejects(server.serve(), /not loaded/)
  await once(client, 'close')
  await server.close()
})
