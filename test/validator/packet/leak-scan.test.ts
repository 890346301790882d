import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertNoLeak, buildPacket, type PacketInput, PacketLeakError } from '#validator'
import {
  answerHonestly,
  createClause,
  createEvidenceRecord,
  createGates,
  createPacketInput,
  exampleContract,
} from '../../fixtures/packet-examples.ts'
import { createRandom } from '../../fixtures/scratch.ts'
import { areAllCasesWanted, sampleCases } from '../../long/select-cases.ts'

test('what contract, command or listing says may be repeated', () => {
  const command = 'python3 -m fibonacci_command_line'
  const sources = [
    { path: 'a.py', text: 'import fibonacci_command_line\nprint("see internationalization_guide")\n' },
    { path: 'b.py', text: '# Running the program prints the first ten Fibonacci numbers\n' },
  ]
  const gates = createGates()
  const report = [
    'I ran fibonacci_command_line.',
    'Running the program prints the first ten Fibonacci numbers.',
    'It has src/internationalization_guide.py.',
  ].join('\n')
  const [first] = gates
  assert.ok(first)
  const { packet, withheld } = buildPacket(
    createPacketInput({
      contract: {
        ...exampleContract,
        clauses: [createClause('C1', exampleContract.clauses[0]?.sentence ?? '', first.clause.proof)],
      },
      gates: [{ ...first, evidence: [createEvidenceRecord({ command })] }],
      listing: [{ path: 'src/internationalization_guide.py', sizeBytes: 1, change: 'kept' }],
      reports: [{ worker: 'w', clauses: [], ending: 'reported', report }],
      sources,
    }),
  )
  assert.equal(withheld, 0)
  for (const line of report.split('\n')) assert.ok(packet.includes(`| ${line}`))
})

test('prose and binary files are not searched', () => {
  const line = 'a_very_long_word_of_the_source is here\n'
  const report = line.trim()
  for (const path of ['README.md', 'a.markdown', 'x.rst', 'y.adoc'])
    assert.ok(buildPacket(withReport(report, [{ path, text: line }])).packet.includes(report), path)
  for (const path of ['NOTES.txt', 'a.json', 'b.yml', 'Makefile'])
    assert.ok(!buildPacket(withReport(report, [{ path, text: line }])).packet.includes(report), path)
  assert.ok(buildPacket(withReport(report, [{ path: 'a.py', text: `\0${line}` }])).packet.includes(report))
  assert.ok(!buildPacket(withReport(report, [{ path: 'a.py', text: line }])).packet.includes(report))
})

test('ordinary words and rulers stay', () => {
  const report = '================ 3 passed ================\n----------------------\nreturns application/json'
  const text = '# ================\n# ----------------------\nreply("application/json")\nok = 1 # passed\n'
  assert.equal(buildPacket(withReport(report, [{ path: 'a.py', text }])).withheld, 0)
})

test('a short word is removed if the source quotes it or it looks random', () => {
  for (const [text, word] of [
    ["key = 'swordfish'", 'swordfish'],
    ['f("a","hunter2x","b")', 'hunter2x'],
    ['it("doesn\'t", `open:sesame`)', 'open:sesame'],
    ['x = "\\tswordfish\\n"', 'swordfish'],
    ['{"password":"swordfish"}', 'swordfish'],
    ["case 'swordfish': return", 'swordfish'],
    ['let canary_9f3a1 = 1', 'canary_9f3a1'],
    ['# see k9-XY42-qq77z', 'k9-XY42-qq77z'],
  ] as const)
    for (const carrier of carriers)
      for (const quoted of [
        word,
        `It is "${word}", and xx${word}yy ${word}.`,
        `sw**o**rd ${word.slice(0, 3)}**${word.slice(3)}`,
      ]) {
        const { packet, withheld } = buildPacket(carrier(quoted, [{ path: 'a.py', text: `${text}\n` }]))
        assert.ok(withheld > 0 && !stripMarkup(packet).includes(word), `${text}: ${quoted}`)
      }
})

test('a short word stays if it is ordinary, or disclosed anyway', () => {
  const report = 'A function with dependencies and a description, withheld: numbers, internationally, in 2026-11-20.'
  const text = [
    '{"dependencies":{}, "description": "", "numbers" : 1}',
    "typeof x === 'function' || y === 'withheld'",
    'internationally = numbers # 2026-11-20, and a description',
  ].join('\n')
  assert.equal(buildPacket(withReport(report, [{ path: 'a.js', text }])).withheld, 0)
  const undisclosed = buildPacket(
    withReport('It runs fibonacci and fib.py now.', [{ path: 'a.js', text: "['fibonacci','./fib.py']" }]),
  )
  assert.equal(undisclosed.withheld, 1)
  const contract = { ...exampleContract, title: 'a fibonacci program' }
  const sources = [{ path: 'a.js', text: "['fibonacci','outputs/fib.py']" }]
  assert.equal(buildPacket({ ...withReport('It is fibonacci.', sources), contract }).withheld, 0)
})

test('three lines in a row of one source are removed, however short', () => {
  const text = 'def f(n):\n    a = 0\n\n    b = 1\n    return a\n}\n}\n'
  const buildWithOutput = (outputTail: string, sources = [{ path: 'a.py', text }]) =>
    buildPacket(
      createPacketInput({ sources, gates: withHead({ outputTail, outputBytes: Buffer.byteLength(outputTail) }) }),
    )
  const { packet, withheld } = buildWithOutput('Start\na = 0\n\n  b = 1\nreturn a\nbetween\na = 0\nb = 1\nEnd\n')
  assert.equal(withheld, 3)
  assert.match(
    packet,
    /\| Start\n\| \[line withheld\]\n\| \n(\| \[line withheld\]\n){2}\| between\n\| a = 0\n\| b = 1\n\| End/,
  )
  assert.equal(buildWithOutput('}\n}\n}\n').withheld, 0)
  const numbers = '0\n1\n1\n2\n3\n5\nten\n'
  assert.equal(buildWithOutput(numbers, [{ path: 'fixture.txt', text: numbers }]).withheld, 0)
  const halves = ['def f(n):\n', 'a = 0\nb = 1\n'].map((half, index) => ({ path: `${index}.py`, text: half }))
  assert.equal(buildWithOutput('def f(n):\na = 0\nb = 1\n', halves).withheld, 0)
})

test('a line with a whole source line in it is removed, however wrapped', () => {
  const line = 'total = sum(x * y for x, y in zip(a, b))'
  const sources = [{ path: 'a.py', text: `def f(a, b):\n    ${line}  # why\n    if "quoted" in names[0]: pass\n` }]
  const sourceLine = `${line}  # why`
  for (const report of [
    sourceLine,
    `> ${sourceLine}`,
    `It says \`${sourceLine}\`.`,
    JSON.stringify({ code: `x\n${sourceLine}\n` }),
    `**${sourceLine}**`,
    `total = sum(x * y for x,\ny in zip(a, b)) # why`,
  ]) {
    const { packet, withheld } = buildPacket(withReport(`Before.\n${report}\nAfter.`, sources))
    assert.ok(withheld > 0 && !packet.includes('zip(a'), report)
    assert.match(packet, /\| Before\.\n(\| \[line withheld\]\n)+\| After\./)
  }
  assert.match(buildPacket(withReport('if \\"quoted\\" in names[0]: pass', sources)).packet, /line withheld/)
})

test('assertNoLeak throws on source in a packet, and does not repeat it', () => {
  const sources = [{ path: 'a.py', text: 'password_of_the_admin = "correct horse battery staple"\n' }]
  assert.throws(
    () => assertNoLeak('we saw password_of_the_admin there', sources, 'disclosed'),
    (error: unknown) =>
      error instanceof PacketLeakError && /^leak: /.test(error.message) && !error.message.includes('password'),
  )
  assertNoLeak('we saw password_of_the_admin there', sources, 'the contract says password_of_the_admin')
})

// --- the property: a secret word of the source is never in the packet ---

/** `npm run torture -- leaks` sets a new seed, and for how long to make more collages. */
const leakSeed = process.env['LEAK_SEED']
const leakSeconds = Number(process.env['LEAK_SECONDS'] ?? 0)

const secretShapes: ((random: () => number) => string)[] = [
  random => `CANARY_${hex(random, 12)}`,
  random => `canary-${hex(random, 20)}`,
  random => `secretCanaryValue${hex(random, 6)}Of`,
  random => hex(random, 32),
  random => `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 12)}`,
  random => base64(random, 24),
  random => `${base64(random, 31)}==`,
  random => `sk-ant-${hex(random, 30)}`,
  random => `канарейка_${hex(random, 10)}`,
  random => `__canary_${hex(random, 9)}__`,
]

const sourceTexts: ((canary: string) => string)[] = [
  canary => `# ${canary}\n`,
  canary => `int x; // see ${canary} for more\n`,
  canary => `key = "${canary}"\n`,
  canary => `const ${canary} = 1\n`,
  canary => `"""\nThe docstring names ${canary}.\n"""\n`,
  canary => `{"a":{"k":"${canary}","n":1}}`,
  canary => `f('${canary}','b')`,
  canary => `<b id=${canary}>x</b>\n`,
  canary => `x = "\\t${canary}\\n"\r\n`,
]

const disguises: ((canary: string, random: () => number) => string)[] = [
  canary => canary,
  canary => `\`${canary}\``,
  canary => `**${canary}**`,
  canary => `_${canary}_`,
  canary => `"${canary}"`,
  canary => `It's '${canary}', you see.`,
  canary => `[${canary}](http://${canary}/)`,
  canary => `| a | ${canary} |`,
  canary => `> quoted: ${canary}`,
  canary => JSON.stringify({ seen: `a\n${canary}\n"${canary}"` }),
  canary => JSON.stringify(JSON.stringify({ seen: `\t${canary}` })),
  canary => `\`\`\`\n${canary}\n\`\`\``,
  canary => `@@ -1 +1 @@\n-${canary}\n+x`,
  canary => `xx${canary}yy`,
  canary => `FAIL: expected:<${canary}> but was:<null>`,
  canary => `path/to/${canary}/and?on=${canary}#${canary}`,
  (canary, random) => cut(canary, random, '**'),
  (canary, random) => cut(canary, random, '`'),
  (canary, random) => cut(canary, random, '"'),
  (canary, random) => cut(canary, random, '\\'),
  (canary, random) => cut(canary, random, '~~'),
  (canary, random) => cut(canary, random, '\u200b'),
  (canary, random) => cut(canary, random, '\u200d'),
  (canary, random) => cut(canary, random, '\u00ad'),
  (canary, random) => cut(canary, random, '\u001b[1m'),
  canary => `${'x'.repeat(8180)} ${canary}`,
]

test('a secret from the source is never in the packet, however disguised', () => {
  const random = createRandom(Number(leakSeed ?? 20_261_120))
  let cases = 0
  for (const shape of secretShapes)
    for (const sourceText of sourceTexts)
      for (const disguise of sampleCases(disguises, 6)) {
        const carrier = pick(carriers, random)
        const canary = shape(random)
        const disguised = disguise(canary, random)
        const { packet, withheld } = buildPacket(carrier(disguised, [{ path: 'src/a.ts', text: sourceText(canary) }]))
        assert.ok(!stripMarkup(packet).includes(stripMarkup(canary)), `${canary} in ${JSON.stringify(disguised)}`)
        assert.ok(withheld > 0 || disguised.length > 8000 || disguised.includes('"seen"'), JSON.stringify(disguised))
        assert.equal(answerHonestly(packet).clauses.length, 4)
        cases++
      }
  assert.ok(cases > (areAllCasesWanted ? 2000 : 500), String(cases))
})

test('no 16 characters of a long word survive in random collages', t => {
  const random = createRandom(Number(leakSeed ?? 7))
  const endsAtMs = Date.now() + leakSeconds * 1000
  let rounds = 0
  for (; rounds < 150 || Date.now() < endsAtMs; rounds++) {
    const canaries = Array.from({ length: 5 }, () => pick(secretShapes, random)(random))
    const text = canaries.map(canary => pick(sourceTexts, random)(canary)).join('\n')
    const report = Array.from({ length: 30 }, () => {
      const canary = pick(canaries, random)
      const part = canary.slice(Math.floor(random() * 4), canary.length - Math.floor(random() * 4))
      return pick(disguises.slice(0, -1), random)(random() < 0.5 ? part : pick(text.split('\n'), random), random)
    }).join(random() < 0.5 ? '\n' : ' ')
    const packet = stripMarkup(buildPacket(withReport(report, [{ path: 'a.go', text }])).packet)
    for (const canary of canaries)
      for (let start = 0; start + 16 <= canary.length; start++)
        assert.ok(!packet.includes(stripMarkup(canary.slice(start, start + 16))), canary)
  }
  t.diagnostic(`${rounds} collages`)
})

test('a tree of 30 MB is searched', () => {
  const random = createRandom(3)
  const words = Array.from({ length: 5000 }, () => `name_${hex(random, 3 + Math.floor(random() * 12))}`)
  const line = () => `    ${pick(words, random)} = ${pick(words, random)}(${pick(words, random)}, "text")`
  const file = Array.from({ length: 4000 }, line).join('\n')
  const sources = Array.from({ length: Math.ceil(30e6 / file.length) }, (_, index) => ({
    path: `${index}.py`,
    text: `${file}${index}`,
  }))
  const report = `${words.slice(0, 50).join(' ')}\n${file.slice(0, 5000)}`
  const { withheld } = buildPacket(withReport(report, sources))
  assert.ok(withheld > 20)
})

test('random bytes as report and source never throw', () => {
  for (let round = 0; round < 100; round++)
    buildPacket(
      withReport(randomBytes(2000).toString('latin1'), [
        { path: 'a', text: randomBytes(2000).toString('latin1').replaceAll('\0', '') },
      ]),
    )
})

// --- how a text gets into a packet ---

/** As a report, as the output of a check, as the reason of a gate, or as the name of a worker. */
const carriers: ((text: string, sources: PacketInput['sources']) => PacketInput)[] = [
  withReport,
  (text, sources) =>
    createPacketInput({
      sources,
      gates: withHead({ outputTail: `ok\n${text}\n`, outputBytes: Buffer.byteLength(text) + 4 }),
    }),
  (text, sources) =>
    createPacketInput({ sources, gates: withHead({ outcome: 'red', reason: `saw ${text}` }, `saw ${text}`) }),
  (text, sources) =>
    createPacketInput({ sources, reports: [{ worker: text, clauses: ['C1'], ending: `failed: ${text}`, report: '' }] }),
]

function withReport(report: string, sources: PacketInput['sources']): PacketInput {
  return createPacketInput({ sources, reports: [{ worker: 'w1', clauses: ['C1'], ending: 'reported', report }] })
}

function withHead(changes: Parameters<typeof createEvidenceRecord>[0], reason = 'exit 0'): PacketInput['gates'] {
  const [first, ...others] = createGates()
  return first ? [{ ...first, reason, evidence: [createEvidenceRecord(changes)] }, ...others] : []
}

function stripMarkup(text: string): string {
  return text.replace(/[`"'*\\~\p{Cf}]/gu, '')
}

/** Insert `mark` somewhere into the canary, and append it. */
function cut(canary: string, random: () => number, mark: string): string {
  const index = 1 + Math.floor(random() * (canary.length - 2))
  return `${canary.slice(0, index)}${mark}${canary.slice(index)}${mark}`
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T
}

function hex(random: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')
}

function base64(random: () => number, length: number): string {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return `aZ9+${Array.from({ length }, () => pick([...characters], random)).join('')}`
}
