/** Sizes: commands stay thin. The rest is printed, to be proud of, and not enforced. */
import { test } from 'node:test'
import { assertNone, code, files, floors, type SourceFile } from './source-files.ts'

const MAX_COMMAND_LINES = 70

const countLines = ({ text }: SourceFile) => text.trimEnd().split('\n').length

test('a command has at most 70 lines', () => {
  const commands = code.filter(({ file }) => /^cli\/commands\/(?!index)[\w-]+\.ts$/.test(file))
  const wrong = commands.filter(source => countLines(source) > MAX_COMMAND_LINES)
  assertNone(
    wrong.map(source => `${source.file}: ${countLines(source)} lines`),
    'a command parses, calls, prints and exits; what it does belongs to the room that owns it',
  )
})

test('the sizes of files and functions are printed', t => {
  for (const floor of [5, 4, 3, 2, 1]) {
    const here = code.filter(({ room }) => floors[room] === floor)
    const rooms = Object.keys(floors).filter(room => floors[room] === floor)
    const lengths = here.map(source => ({ name: source.file, lines: countLines(source) }))
    const functions = here.flatMap(measureFunctions)
    const total = lengths.reduce((sum, { lines }) => sum + lines, 0)
    t.diagnostic(`floor ${floor} (${rooms.join(' ')}): ${here.length} files, ${total} lines`)
    if (functions.length === 0) continue
    t.diagnostic(`  lines a file:     ${summarize(lengths)}`)
    t.diagnostic(`  lines a function: ${summarize(functions)} (${functions.length} functions)`)
  }
})

test('sources without a test of their name are printed', t => {
  const tests = new Set(files.filter(file => file.endsWith('.test.ts')).map(file => file.replace(/^test\//, '')))
  const alone = code
    .map(({ file }) => file)
    .filter(file => !/\/(index|readonly)\.ts$/.test(file) && !tests.has(file.replace(/\.ts$/, '.test.ts')))
  t.diagnostic(`${alone.length} of ${code.length} sources`)
  for (const [room, sources] of Object.entries(Object.groupBy(alone, file => file.replace(/\/.*/, ''))))
    t.diagnostic(`  ${room}: ${sources?.map(file => file.slice(room.length + 1)).join(' ')}`)
})

interface Measured {
  name: string
  lines: number
}

/** Functions and methods, by their first line and the brace that closes at its indent, as Biome formats them. */
function measureFunctions({ file, text }: SourceFile): Measured[] {
  const lines = text.split('\n')
  const begins =
    /^\s*(?:export )?(?:async )?function\*? (\w+)|^\s*(?:export )?const (\w+) = (?:async )?(?:\([^=]*|\w+ )=> \{$|^ {2}(?:(?:private|static|override|async|get) )*(\w+)\(.*\{$/
  return lines.flatMap((line, at) => {
    const [, ...names] = begins.exec(line) ?? []
    const name = names.find(Boolean)
    if (name === undefined || ['if', 'for', 'while', 'switch', 'return', 'super', 'test'].includes(name)) return []
    const indent = /^\s*/.exec(line)?.[0] ?? ''
    const end = lines.findIndex(
      (later, index) => index > at && later.startsWith(`${indent}}`) && !/^\s*\}[):]/.test(later),
    )
    return end < 0 ? [] : [{ name: `${file}: ${name}`, lines: end - at + 1 }]
  })
}

function summarize(measured: Measured[]): string {
  const sorted = measured.toSorted((a, b) => a.lines - b.lines)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return `median ${at(0.5)?.lines}, p90 ${at(0.9)?.lines}, max ${at(1)?.lines} (${at(1)?.name})`
}
