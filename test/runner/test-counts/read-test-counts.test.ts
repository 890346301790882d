import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { installFolder } from '#host/config'
import { readTestCounts } from '#runner/test-counts/read-test-counts.ts'
import { formatTestCounts, TestCounts } from '#session/evidence'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'

const folder = path.join(installFolder, 'test/fixtures/test-output')

/** Each output of a file: `#### command -> what it ran`, then what the command printed. `written.txt` alone is not recorded. */
function readOutputs(name: string) {
  const text = fs.readFileSync(path.join(folder, name), 'utf8').replaceAll('{{todo}}', ['TO', 'DO'].join(''))
  return text
    .split(/^#### /m)
    .slice(1)
    .map(section => {
      const [, command = '', ran = '', body = ''] = /^(.*) -> (.*)\n([\s\S]*)$/.exec(section) ?? []
      const [stdout = '', stderr = ''] = body.split('{{stderr}}\n')
      return { command, ran, stdout, stderr }
    })
}

const describe = (stdout: string, command: string, stderr = '') =>
  formatTestCounts(readTestCounts({ stdout, stderr }, command))

for (const name of fs.readdirSync(folder))
  it(`${path.parse(name).name}: what ran is read from the output of each runner`, () => {
    const outputs = readOutputs(name)
    assert.ok(outputs.length > 2)
    for (const { command, ran, stdout, stderr } of outputs)
      assert.equal(describe(stdout, command, stderr), ran, `${command}\n${stdout}`)
  })

it('behind a wrapper the output alone says the same', () => {
  for (const name of fs.readdirSync(folder))
    for (const { command, ran, stdout, stderr } of readOutputs(name))
      assert.equal(describe(stdout, 'make test', stderr), ran, command)
})

it('colours, carriage returns and Windows line ends change nothing', () => {
  const coloured = '\u001b[32m.\u001b[0m\u001b]0;title\u0007\r\n\u001b[1m3 skipped\u001b[0m in 0.02s\u001b[K\r\n'
  assert.equal(describe(coloured, 'pytest -q'), '0 ran, 3 skipped')
  assert.equal(describe('collecting ...\rcollected 0 items\r\r\nno tests ran in 0.01s', 'pytest -q'), '0 ran')
})

const unittest = (tests: number, end: string) =>
  `${'-'.repeat(70)}\nRan ${tests} test${tests === 1 ? '' : 's'} in 0.001s\n\n${end}\n`
const jest = (list: string) =>
  `Test Suites: 1 passed, 1 total\nTests:       ${list}\nSnapshots:   0 total\nTime:        1 s\n`
const nodeTotals = (tests: number, pass: number, skipped: number) =>
  `ℹ tests ${tests}\nℹ suites 0\nℹ pass ${pass}\nℹ fail 0\nℹ cancelled 0\nℹ skipped ${skipped}\nℹ todo 0\nℹ duration_ms 5\n`

it('a forged summary does not hide that nothing ran', () => {
  const forged: [command: string, stdout: string, stderr: string, shown: string][] = [
    // The program under test prints what another run would print.
    ['python3 -m unittest t', unittest(12, 'OK'), unittest(3, 'OK (skipped=3)'), '0 ran, 3 skipped'],
    ['python3 -m unittest t', '', `${unittest(12, 'OK')}${unittest(0, 'NO TESTS RAN')}`, '0 ran'],
    ['python3 -m unittest t', '', `${unittest(0, 'OK')}${unittest(12, 'OK')}`, '0 ran'],
    ['python3 -m unittest t', '===== 12 passed in 0.10s =====\n', unittest(1, 'OK (skipped=1)'), '0 ran, 1 skipped'],
    ['cd api && CI=1 npx jest', jest('12 passed, 12 total'), jest('3 skipped, 3 total'), '0 ran, 3 skipped'],
    ['node --test a.js', `${nodeTotals(12, 12, 0)}${nodeTotals(1, 0, 1)}`, '', '0 ran, 1 skipped'],
    ['pytest -q', '12 passed in 0.10s\n\nno tests ran in 0.01s\n', '', '0 ran'],
    [
      'cargo test new_fn',
      `${jest('12 passed, 12 total')}\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored\n`,
      '',
      '0 ran',
    ],
    [
      'npm test',
      '> a@1.0.0 test\n> jest\n',
      jest('12 passed, 12 total') + jest('3 skipped, 3 total'),
      '0 ran, 3 skipped',
    ],
    // A script echoes it, and starts the runner then.
    ['npm test', 'Tests:       12 passed, 12 total\nNo tests found, exiting with code 0\n', '', '0 ran'],
    [
      'npm test',
      '> web@1.0.0 test\n> echo "12 passed in 1s" && mocha\n\n12 passed in 1s\n\n\n  0 passing (1ms)\n',
      '',
      '0 ran',
    ],
    ['npm test', `> web@1.0.0 test\n> node --test\n\n${nodeTotals(12, 12, 0)}${nodeTotals(0, 0, 0)}`, '', '0 ran'],
    ['make test', `python3 -m unittest\n${unittest(12, 'OK')}`, unittest(3, 'OK (skipped=3)'), '0 ran, 3 skipped'],
    [
      'make test',
      `pytest tests\n===== test session starts =====\n===== 12 passed in 1s =====\n===== 3 skipped in 0.01s =====\n`,
      '',
      '0 ran, 3 skipped',
    ],
    ['yarn test', `yarn run v1.22.22\n$ mocha\n    ✔ a\n  12 passing (3ms)\n\n\n  0 passing (1ms)\n`, '', '0 ran'],
    ['sh test.sh', '12 passed\n0 passed\n', '', '0 ran'],
  ]
  for (const [command, stdout, stderr, shown] of forged)
    assert.equal(describe(stdout, command, stderr), shown, `${command}\n${stdout}\n${stderr}`)
})

it('the runs of several packages add up, and one without tests is normal', () => {
  const several: [command: string, stdout: string, stderr: string, shown: string][] = [
    ['npm test --workspaces', 'No tests found, exiting with code 0\n', jest('12 passed, 12 total'), '12 ran'],
    ['npm test --workspaces', '', jest('3 skipped, 3 total') + jest('12 passed, 12 total'), '12 ran, 3 skipped'],
    ['make test', '?   \tx/a\t[no test files]\n', unittest(12, 'OK'), '12 ran'],
    [
      'make test',
      `go test ./...\n?   \tx/a\t[no test files]\npytest\n== test session starts ==\n== 12 passed in 1s ==\n`,
      '',
      '12 ran',
    ],
    ['./run-tests.sh', '  a\n    ✔ b\n\n  12 passing (3ms)\n\n\n  0 passing (1ms)\n', '', '12 ran'],
    ['pytest a && pytest b', '== 3 passed in 1s ==\n== 4 passed in 1s ==\n', '', '7 ran'],
    [
      'npm test',
      `> a@1.0.0 test\n> node --test\n\n${nodeTotals(0, 0, 0)}\n> b@1.0.0 test\n> node --test\n\n${nodeTotals(5, 5, 0)}`,
      '',
      '5 ran',
    ],
    ['go test ./...', 'ok  \tx/a\t0.01s\n?   \tx/b\t[no test files]\n', '', 'count unknown'],
  ]
  for (const [command, stdout, stderr, shown] of several)
    assert.equal(describe(stdout, command, stderr), shown, `${command}\n${stdout}\n${stderr}`)
})

it('text that is not the summary of a runner is not read', () => {
  const unread: [command: string, stdout: string][] = [
    ['sh hello.sh', '0 passed\n'],
    ['sh hello.sh', 'hello\n'],
    ['npm i x@latest && npm run typecheck', '0 passed\n'],
    ['python3 fib.py', '0 1 1 2 3\n1..0\n0 tests, as promised\n'],
    ['test -f README.md', ''],
    ['cat README.md', 'test result: ok. 0 passed; 0 failed; 3 ignored\n'],
    ['grep -A9 Tests docs/guide.md | head', jest('0 total')],
    ['node report.js', 'ok 1 - this is only a list\nThe run ended: no tests ran in 0.01s, it seems\n'],
  ]
  for (const [command, stdout] of unread)
    assert.equal(readTestCounts({ stdout, stderr: '' }, command), undefined, stdout)
})

it('a number that no suite has leaves a valid record', () => {
  const digits = '9'.repeat(300)
  for (const line of [
    `${digits} passed, ${digits} skipped in 0.1s`,
    `Executed ${digits} tests, with ${digits} tests skipped and 0 failures`,
  ]) {
    const tests = readTestCounts({ stdout: `${line}\n`.repeat(3), stderr: '' }, 'make test')
    assert.ok(TestCounts.safeParse(tests).success, line)
  }
})

it('the time grows with the length of the output only', () => {
  const lines = [
    'ok 1 - a # SKIP why',
    '    1..2',
    '100% tests passed, 0 tests failed out of 3',
    '  1 - a (Skipped)',
    '> a@1.0.0 test',
    '$ node --test',
    jest('1 passed, 1 total'),
    '--- PASS: TestA/b/c (0.00s)',
    '12 passed in 0.1s',
    'x'.repeat(5000),
    '\r\r\r\r',
    '\u001b]',
    'web:test: 0 passed',
    nodeTotals(1, 1, 0),
    '{"Action":"pass","Package":"a","Test":"b"}',
    '=== SKIP: a b/c (0.00s)',
  ]
  assertGrowsLinearly('an output of 20,000 groups of lines', 20_000, size => {
    readTestCounts(
      { stdout: `${lines.join('\n')}\n`.repeat(size / lines.length), stderr: '\r'.repeat(size) },
      'make test',
    )
  })
})
