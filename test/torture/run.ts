/**
 * `npm run torture -- [PART…] [--minutes N] [--seed S]`: tests that take too long for `npm test`. Progress goes to standard
 * error, the table at the end to standard output. Exit 0 only if every part passed.
 */
import { parseArgs } from 'node:util'
import { tortureParts } from './parts.ts'
import { type PartResult, runPart } from './run-part.ts'

const MIN_PART_SECONDS = 10

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
const unknownNames = positionals.filter(name => !tortureParts.some(part => part.name === name))
if (values.help || unknownNames.length > 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('npm run torture -- [PART…] [--minutes N] [--seed S]\n')
  for (const { name, about } of tortureParts) process.stderr.write(`  ${name.padEnd(10)} ${about}\n`)
  process.exit(values.help ? 0 : 2)
}

const parts = tortureParts.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const endsAtMs = Date.now() + minutes * 60_000
const results: PartResult[] = []
process.stderr.write(`seed ${seed}, ${minutes} minutes for ${parts.map(({ name }) => name).join(' ')}\n`)
for (const [index, part] of parts.entries()) {
  // The time that a part leaves or overruns is shared by the parts after it.
  const seconds = Math.max(MIN_PART_SECONDS, Math.floor((endsAtMs - Date.now()) / 1000 / (parts.length - index)))
  process.stderr.write(`\n${part.name}: ${part.about} (${seconds} s)\n`)
  results.push(await runPart(part, seconds, seed))
}

process.stdout.write(formatTable(results))
for (const { part, seconds, hasPassed } of results) {
  if (hasPassed) continue
  const partMinutes = Math.max(1, Math.ceil(seconds / 60))
  process.stdout.write(`to repeat ${part}: npm run torture -- ${part} --minutes ${partMinutes} --seed ${seed}\n`)
}
process.exitCode = results.every(({ hasPassed }) => hasPassed) ? 0 : 1

function formatTable(rows: PartResult[]): string {
  const cells = [
    ['part', 'rounds', 'seconds', 'result', 'figures'],
    ...rows.map(({ part, rounds, tookSeconds, hasPassed, skippedFiles, figures }) => [
      part,
      String(rounds),
      String(tookSeconds),
      hasPassed ? (skippedFiles.length === 0 ? 'passed' : 'passed, cut') : 'FAILED',
      [...figures, ...(skippedFiles.length === 0 ? [] : [`not started: ${skippedFiles.join(' ')}`])]
        .join('; ')
        .replace(/[{}"]/g, ''),
    ]),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const lines = cells.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return `\nseed ${seed}\n${lines.join('\n')}\n`
}
