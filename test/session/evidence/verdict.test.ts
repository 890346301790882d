import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readEvidence, readVerdictRecord, type VerdictRecord } from '#session/evidence'
import { resolveSessionPaths } from '#session/paths.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const record: VerdictRecord = {
  format: 1,
  sessionId: 's',
  round: 1,
  verdict: 'PASS',
  reason: '',
  commit: 'c',
  tree: 't',
  contractSha256: '',
  packetSha256: null,
  independence: 'none',
  judge: '',
  sandbox: '',
  time: '',
  clauses: [],
  findings: [],
  uncoveredSentences: [],
  excludedSentences: [],
  contractVersion: 1,
  dilutions: [],
}

test('a verdict is read from a plain file only', t => {
  const paths = resolveSessionPaths(createScratchFolder(t))
  assert.equal(readVerdictRecord(paths), undefined, 'nothing')
  fs.writeFileSync(paths.verdictRecord, JSON.stringify(record))
  assert.deepEqual(readVerdictRecord(paths), record)
  fs.renameSync(paths.verdictRecord, path.join(paths.folder, 'elsewhere'))
  fs.symlinkSync('elsewhere', paths.verdictRecord)
  assert.equal(readVerdictRecord(paths), undefined, 'a link')
  fs.rmSync(paths.verdictRecord)
  execFileSync('mkfifo', [paths.verdictRecord])
  assert.equal(readVerdictRecord(paths), undefined, 'a pipe')
  fs.mkdirSync(paths.evidence)
  execFileSync('mkfifo', [paths.evidenceRecord('round-1-C1')])
  assert.deepEqual(readEvidence(paths), [], 'a pipe in place of evidence')
})
