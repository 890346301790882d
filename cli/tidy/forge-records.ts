import fs from 'node:fs'
import type { Config } from '#host/config'
import { formatCount } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import { type ForgeKey, getRecordFile, putRecordAside, withRecord } from '../forge-record.ts'
import { isHeld, listRecords, readRecord } from '../issues/record.ts'
import { listPullRequestRecords, readPullRequestRecord } from '../pull-request/record.ts'
import type { Removable } from './removable.ts'

/**
 * Records of issues and pull requests that are over for long. They are put aside and not deleted: an issue whose label is still set would
 * start again without its record, and what it has left on GitHub could not be given back. Its lease stays, because its generations may
 * only go up.
 */
export function listOldRecords({ home }: Config): Removable[] {
  const isOldFile = (kind: Place['kind'], key: ForgeKey) => {
    const stats = fs.statSync(getRecordFile(home, kind, key), { throwIfNoEntry: false })
    return stats !== undefined && Date.now() - stats.mtimeMs > KEPT_RECORD_DAYS * DAY_MS
  }
  const old = listPlaces(home).flatMap(({ kind, keys, isOver }) =>
    keys.filter(key => isOldFile(kind, key)).map(key => ({ kind, key, isOver })),
  )
  if (old.length === 0) return []
  const remove = async () => {
    let count = 0
    for (const { kind, key, isOver } of old)
      await withRecord(home, kind, key, async () => {
        if (!isOver(key) || !isOldFile(kind, key)) return
        putRecordAside(home, kind, key)
        count++
      })
    return count > 0
  }
  const name = `${formatCount(old.length, 'record')} of issues and pull requests`
  const reason = `over for more than ${KEPT_RECORD_DAYS} days; kept in past/, where no look reads them`
  return [{ kind: 'records', name, reason, bytes: 0, remove }]
}

// --- internal ---

const KEPT_RECORD_DAYS = 90

interface Place {
  kind: 'issues' | 'pull-requests'
  /** What is over. */
  keys: ForgeKey[]
  /** Is it still over? */
  isOver(key: ForgeKey): boolean
}

function listPlaces(home: string): Place[] {
  return [
    {
      kind: 'issues',
      keys: listRecords(home).filter(record => !isHeld(record)),
      isOver: key => !isHeld(readRecord(home, key) ?? { state: 'claimed' }),
    },
    {
      kind: 'pull-requests',
      keys: listPullRequestRecords(home).filter(({ state }) => state === 'ended'),
      isOver: key => readPullRequestRecord(home, key)?.state === 'ended',
    },
  ]
}
