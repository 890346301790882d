/**
 * `npm run torture -- [PART…] [--minutes N] [--seed S]`: the sweeps that are too long for `npm test`. Progress goes to
 * standard error, the table at the end to standard output; exit 0 only if every part held.
 */
import { parseArgs } from 'node:util'
import { tortureParts } from './parts.ts'
import { type PartResult, runPart } from './play.ts'

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
const strangers = positionals.filter(name => !tortureParts.some(part => part.name === name))
if (values.help || strangers.length > 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('npm run torture -- [PART…] [--minutes N] [--seed S]\n')
  for (const { name, about } of tortureParts) process.stderr.write(`  ${name.padEnd(10)} ${about}\n`)
  process.exit(values.help ? 0 : 2)
}

const chosen = tortureParts.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const over = Date.now() + minutes * 60_000
const outcomes: PartResult[] = []
process.stderr.write(`seed ${seed}, ${minutes} minutes for ${chosen.map(({ name }) => name).join(' ')}\n`)
for (const [at, part] of chosen.entries()) {
  // What a part leaves over, or takes too much, is shared by those behind it.
  const seconds = Math.max(10, Math.floor((over - Date.now()) / 1000 / (chosen.length - at)))
  process.stderr.write(`\n${part.name}: ${part.about} (${seconds} s)\n`)
  outcomes.push(await runPart(part, seconds, seed))
}

process.stdout.write(tableOf(outcomes))
for (const { part, seconds, hasPassed } of outcomes) {
  if (hasPassed) continue
  const again = Math.max(1, Math.ceil(seconds / 60))
  process.stdout.write(`${part} again: npm run torture -- ${part} --minutes ${again} --seed ${seed}\n`)
}
process.exitCode = outcomes.every(({ hasPassed }) => hasPassed) ? 0 : 1

function tableOf(rows: PartResult[]): string {
  const cells = [
    ['part', 'rounds', 'seconds', 'outcome', 'figures'],
    ...rows.map(row => [
      row.part,
      String(row.rounds),
      String(row.tookSeconds),
      row.hasPassed ? (row.skippedFiles.length === 0 ? 'held' : 'held, cut') : 'FAILED',
      [...row.figures, ...(row.skippedFiles.length === 0 ? [] : [`not begun: ${row.skippedFiles.join(' ')}`])]
        .join('; ')
        .replace(/[{}"]/g, ''),
    ]),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const lines = cells.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return `\nseed ${seed}\n${lines.join('\n')}\n`
}
