import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChanges } from '#session/repository/work-changes.ts'

const [zeros, a, b] = ['0', 'a', 'b'].map(digit => digit.repeat(40))

test('raw lines and counts are read together, also for names that look like either', () => {
  const output = [
    `:100644 100755 ${a} ${b} M`,
    ':100644 x',
    `:000000 100644 ${zeros} ${b} A`,
    '1\t2\tx',
    `:100644 000000 ${a} ${zeros} D`,
    'gone\n',
    `:100644 100644 ${a} ${a} R100`,
    'old\tname',
    'new',
    `:120000 160000 ${a} ${b} T`,
    't',
    '3\t1\t:100644 x',
    '-\t-\t1\t2\tx',
    '0\t7\tgone\n',
    '2\t0\t',
    'old\tname',
    'new',
    '1\t1\tt',
    '',
  ].join('\0')
  const changes = parseChanges(output)
  assert.deepEqual(
    changes.map(({ path, status, oldPath, addedLines, deletedLines }) => [
      ...[path, status, oldPath, addedLines, deletedLines],
    ]),
    [
      [':100644 x', 'changed', ':100644 x', 3, 1],
      ['1\t2\tx', 'added', '1\t2\tx', undefined, undefined],
      ['gone\n', 'deleted', 'gone\n', 0, 7],
      ['new', 'renamed', 'old\tname', 2, 0],
      ['t', 'changed', 't', 1, 1],
    ],
  )
  assert.deepEqual([changes[1]?.oldHash, changes[1]?.oldMode, changes[2]?.hash], ['', '', ''])
  assert.deepEqual(parseChanges(''), [])
})
