import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withholdSecrets } from '#cli/pull-request/withhold-secrets.ts'

test('what red checks say loses secrets, and each keeps its details', () => {
  const secret = 'Tulip-Garden-42'
  const report = {
    ...{ name: `ci ${secret}`, state: 'red' as const, isWithoutVerdict: false, text: `password ${secret} refused` },
    ...{ url: '', startedAt: '', run: undefined, jobId: undefined },
  }
  const key = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', '-----END PRIVATE KEY-----']
  const said = { annotations: [`line 1: ${secret}`], log: ['before', ...key, `psql: ${secret}`] }
  const { reports, details } = withholdSecrets({ reports: [report], details: new Map([[report, said]]) }, [secret])
  assert.equal(reports[0]?.text, 'password [secret withheld: known value] refused')
  assert.equal(reports[0]?.name, report.name, 'the branch asks for it by its name')
  const shown = details.get(reports[0] ?? assert.fail()) ?? assert.fail()
  assert.deepEqual(shown.annotations, ['line 1: [secret withheld: known value]'])
  assert.deepEqual(
    [shown.log.length, shown.log[0], shown.log.at(-1)],
    [5, 'before', 'psql: [secret withheld: known value]'],
  )
  assert.ok(!shown.log.join('\n').includes('MIIEvQ'))
})
