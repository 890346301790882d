/** The walls of the house, held by a test: floors, faces, owners, words. At the end it prints how big the rooms are. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'dotenv'
import { buildFolder, installFolder, settingsSchema } from '#host/config'
import { resolveSessionPaths } from '#session/paths.ts'

// --- the plan ---

/** Imports only go down. */
const floors: Record<string, number> = {
  bin: 4,
  hooks: 4,
  agents: 3,
  runner: 3,
  validator: 3,
  watchdog: 3,
  notify: 3,
  webui: 3,
  rehearsal: 3,
  session: 2,
  host: 1,
}

/** The one role that composes others, so that a door need not (docs/decisions/0002). */
const composed: Record<string, string[]> = { runner: ['agents', 'validator', 'notify'] }

/** Every package has one owner. Types and shapes are everybody's, so zod has none. */
const owners: Record<string, string> = {
  execa: 'host/exec.ts',
  dotenv: 'host/config/env-file.ts',
  'jsonc-parser': 'host/json.ts',
  chokidar: 'session/log/follow.ts',
  '@google/genai': 'validator/gemini.ts',
  'node-notifier': 'notify/channels/desktop.ts',
  ntfy: 'notify/channels/phone.ts',
  express: 'webui/app.ts',
  eta: 'webui/render.ts',
  uqr: 'cli/notify/qr.ts',
  diff: 'cli/output/diff.ts',
  'string-width': 'cli/output/terminal.ts',
  '@anthropic-ai/sandbox-runtime': 'host/sandbox/run.ts',
  esbuild: 'scripts/build.ts',
}

/** Every foreign program has one owner among the TypeScript files. */
const programs: Record<string, string> = {
  tmux: 'host/tmux/tmux.ts',
  git: 'host/git/git.ts',
  claude: 'host/claude/claude.ts',
}

/** Shell that runs one of them all the same, and why. */
const shellPrograms: Record<string, string> = {
  'agents/worker.sh': 'it is the line that runs inside a worker’s own window, in the folder that is the worker’s',
  'agents/worker-git.sh': 'it is git in the folder that is the worker’s, inside the sandbox of the worker',
}

/** Who ends the process outside `bin/`, and why. */
const exiting: Record<string, string> = {
  'rehearsal/rehearse.ts': 'Node goes on after a signal that is handled; this one stops its session first',
}

/** Who may know that models can be scripted: the command, the table of commands, and lists of files. */
const rehearsed = ['cli/commands/rehearse.ts', 'cli/commands/index.ts', 'package.json', 'tsconfig.json']

/** A comment, a string or a pattern in TypeScript. */
const pieces =
  /(\/\/[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|((?<=[(,=:[!&|?{};+\n]\s*|\breturn\s+)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)/g

// --- the files ---

interface Source {
  file: string
  room: string
  text: string
}

const files = filesIn('')
const texts: Source[] = files
  .filter(file => !/\.(png|ico)$/.test(file))
  .map(file => ({ file, room: roomOf(file), text: fs.readFileSync(path.join(installFolder, file), 'utf8') }))
const code = texts.filter(({ file, room }) => file.endsWith('.ts') && room in floors)
const shell = texts.filter(({ text, room }) => room in floors && text.startsWith('#!/bin/sh'))

/** Every file that belongs to the project, as git would list them, without asking git. */
function filesIn(folder: string): string[] {
  return fs.readdirSync(path.join(installFolder, folder), { withFileTypes: true }).flatMap(entry => {
    const file = path.posix.join(folder, entry.name)
    if (['node_modules', buildFolder, '.git', '.env', '.DS_Store'].includes(entry.name) || entry.name.endsWith('.log'))
      return []
    if (folder === 'workspace' && entry.name !== 'README.md') return []
    return entry.isDirectory() ? filesIn(file) : [file]
  })
}

function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ''
}

/** What a file imports: our own files by their path from the top, packages by their name, Node's by `node:`. */
function importsOf({ file, text }: Source): string[] {
  const found = withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : packageOf(name),
  )
}

function packageOf(name: string): string {
  return name.startsWith('node:') ? name : name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

/** Imports across rooms, each as `from -> to`. */
const crossings = code.flatMap(source =>
  importsOf(source)
    .filter(to => roomOf(to) in floors && roomOf(to) !== source.room)
    .map(to => ({ from: source.file, room: source.room, to })),
)

function none(found: string[], rule: string): void {
  assert.deepEqual(found, [], `${rule}:\n  ${found.join('\n  ')}\n`)
}

// --- floors and faces ---

test('imports only go down, and roles know nothing of each other', () => {
  const wrong = crossings.filter(({ room, to }) => {
    const isDown = (floors[roomOf(to)] ?? 0) < (floors[room] ?? 0)
    return !isDown && !composed[room]?.includes(roomOf(to))
  })
  none(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    'these imports go up or sideways',
  )
})

test('a room is entered by its face', () => {
  const wrong = crossings.filter(({ to }) => !to.endsWith('/index.ts') && to !== 'session/readonly.ts')
  none(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    'these imports go past a face',
  )
})

test('the observatory reaches nothing that writes a session', () => {
  const allowed = ['session/readonly.ts', 'host/index.ts']
  const wrong = crossings.filter(({ room, to }) => room === 'webui' && !allowed.includes(to))
  none(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    'webui may import session/readonly.ts and host only',
  )
})

test('a face is tiny, and brings in nothing but its own room', () => {
  const faces = code.filter(({ file }) => /^[a-z]+\/(index|read)\.ts$/.test(file))
  const wrong = faces.filter(({ file, room, text }) => {
    const values = withoutComments(text).replace(/^import type .*$/gm, '')
    const foreign = importsOf({ file, room, text: values }).some(name => roomOf(name) !== room)
    return foreign || text.trimEnd().split('\n').length > 25
  })
  none(
    wrong.map(({ file }) => file),
    'these faces do more than that',
  )
  const faceless = Object.keys(floors).filter(
    room => floors[room] !== 4 && !faces.some(({ file }) => file === `${room}/index.ts`),
  )
  none(faceless, 'these rooms have no face')
})

// --- owners ---

test('each package has one owner', () => {
  const wrong = code.flatMap(source =>
    importsOf(source)
      .filter(name => !name.includes('.ts') && !name.startsWith('node:') && name !== 'zod')
      .filter(name => owners[name] !== source.file)
      .map(name => `${source.file} imports ${name} (owner: ${owners[name] ?? 'none'})`),
  )
  none(wrong, 'these packages are used by somebody else than their owner')
})

test('each dependency is used by its owner', () => {
  const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> }
  assert.deepEqual(Object.keys(dependencies).sort(), [...Object.keys(owners), 'zod'].sort())
  const idle = Object.entries(owners).filter(([name, file]) => {
    const source = code.find(each => each.file === file)
    return source === undefined || !importsOf(source).includes(name)
  })
  none(
    idle.map(([name, file]) => `${file} does not import ${name}`),
    'these owners own nothing',
  )
})

test('each foreign program has one owner', () => {
  const called = /(?:\w\(\s*|\[\s*)'(tmux|git|claude)'\s*,\s*\[/g
  const wrong = code.flatMap(({ file, text }) =>
    [...withoutComments(text).matchAll(called)]
      .filter(([, program = '']) => programs[program] !== file)
      .map(([, program = '']) => `${file} runs ${program} (owner: ${programs[program]})`),
  )
  const command = /(?:^|[;&|(]|\b(?:exec|if|while|then|else|do))\s*(tmux|git|claude)\s/m
  const inShell = shell
    .filter(({ file, text }) => !(file in shellPrograms) && command.test(text.replace(/#.*$/gm, '')))
    .map(({ file }) => `${file} runs ${Object.keys(programs).join(', ')}`)
  none([...wrong, ...inShell], 'these files run a program that is not theirs')
})

test('only host/ reads the environment', () => {
  const wrong = code.filter(
    ({ room, text }) => room !== 'host' && /\bprocess\.env\b|\benv\b.*'node:process'/.test(bare(text)),
  )
  none(
    wrong.map(({ file }) => file),
    'these files read process.env',
  )
})

test('only a door ends the process', () => {
  const wrong = code.filter(
    ({ file, room, text }) =>
      room !== 'bin' && !(file in exiting) && /\bprocess\.(exit|exitCode|abort|reallyExit)\b/.test(bare(text)),
  )
  none(
    wrong.map(({ file }) => file),
    'these files end the process',
  )
})

test('nobody but its own command knows that models can be scripted', () => {
  const wrong = texts.filter(({ file, text }) => {
    const isExempt = /^(rehearsal|test|docs)\//.test(file) || file.endsWith('.md') || rehearsed.includes(file)
    return !isExempt && /rehears/i.test(text)
  })
  none(
    wrong.map(({ file }) => file),
    'these files know of rehearsal/',
  )
})

// --- words ---

test('no name says nothing: manager, service, handler, util, helper', () => {
  const banned = /(manager|service|handler|helper|utils?$|^utils?|Utils?(?=[A-Z]|$))/i
  const wrong = texts
    .filter(({ file }) => file.endsWith('.ts') && file !== 'test/house.test.ts')
    .flatMap(({ file, text }) => {
      const names = new Set(bare(text).match(/[\p{L}_$][\p{L}\d_$]*/gu) ?? [])
      return [...names].filter(name => banned.test(name)).map(name => `${file}: ${name}`)
    })
  const named = files.filter(file => /\b(managers?|services?|handlers?|utils?|helpers?|core|common)\b/i.test(file))
  none([...wrong, ...named], 'these names say nothing')
})

test('nothing is left for later in a comment', () => {
  const later = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|X{3})\\b`)
  const wrong = texts.filter(({ file, text }) => !/^(package-lock\.json|LICENSE)$/.test(file) && later.test(text))
  none(
    wrong.map(({ file }) => file),
    'these files put something off',
  )
})

test('every room has a README that names each of its files', () => {
  const rooms = [...Object.keys(floors), 'workspace', 'test']
  const wrong = rooms.flatMap(room => {
    const readme = texts.find(({ file }) => file === `${room}/README.md`)
    if (readme === undefined) return [`${room}/ has no README.md`]
    const inside = files.filter(file => roomOf(file) === room).map(file => file.slice(room.length + 1))
    const entries = new Set(inside.map(file => file.replace(/\/.*$/, '/')))
    return [...entries]
      .filter(entry => entry !== 'README.md' && entry !== 'index.ts' && !readme.text.includes(`\`${entry}\``))
      .map(entry => `${room}/README.md does not name \`${entry}\``)
  })
  none(wrong, 'a room opens with one line for each file')
})

test('workspace/README.md tells every path of a session', () => {
  const { worker, contractVersion, ...own } = resolveSessionPaths('')
  const names = [...Object.values(own), contractVersion(1), ...Object.values(worker('w'))].map(place =>
    path.basename(place),
  )
  const told = textOf('workspace/README.md')
  const untold = names.filter(name => !['', 'w'].includes(name) && !told.includes(name))
  none([...new Set(untold)], 'these are in session/paths.ts and not in the README')
})

test('the dictionary has every event', () => {
  const told = textOf('docs/dictionary.md')
  const events = [...textOf('session/log/event.ts').matchAll(/^ {2}'([a-z-]+\.[a-z-]+)': z\./gm)].map(
    ([, name = '']) => name,
  )
  assert.ok(events.length > 10)
  none(
    events.filter(name => !told.includes(`\`${name}\``)),
    'docs/dictionary.md lacks these events',
  )
})

test('.env.example lists exactly the settings there are, in their order, with their defaults', () => {
  const written = parse(textOf('.env.example'))
  const defaults = settingsSchema.parse({})
  const wanted = Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)]))
  assert.deepEqual(Object.entries(written), Object.entries(wanted))
})

/** Recorded screens, and what a decision replaced, may name what does not exist any more. */
const pastProse = /^docs\/walk-/
const pastParagraph = /^\*\*What it replaced\.\*\*(?:.+\n)*/gm

test('every path and every decision that prose cites exists', () => {
  const folders = [...new Set(files.filter(file => file.includes('/')).map(roomOf))].join('|')
  const place = new RegExp(`(?<![\\w./~$}>-])(?:(?:${folders})/[\\w./*-]*|[\\w-]+\\.(?:md|ts)\\b)`, 'g')
  const { worker, contractVersion, ...own } = resolveSessionPaths('')
  const ofSessions = [...Object.values(own), ...Object.values(worker('w')), contractVersion(1)]
  const elsewhere = ['AGENTS.md', ...ofSessions.map(file => path.basename(file))]
  const wrong = texts.flatMap(({ file, text }) => {
    const prose = proseIn(file, text)
    const places = (prose.match(place) ?? []).map(cited => cited.replace(/[./]+$/, ''))
    const decisions = (prose.match(/(?<![\w.-])00\d\d(?![\w-])/g) ?? []).map(number => `docs/decisions/${number}`)
    const missing = [...places, ...decisions].filter(cited => !elsewhere.includes(cited) && !isThere(cited))
    return [...new Set(missing)].map(cited => `${file} cites ${cited}`)
  })
  none(wrong, 'these citations lead nowhere')
})

/** A path, a bare file name, a path with `*`, a program without its ending, or a decision by its number. */
function isThere(cited: string): boolean {
  const name = cited.replaceAll('.', '\\.').replaceAll('*', '[^/]*')
  const ending = /\/\d{4}$/.test(cited) ? '-.*' : '(\\.ts|/.*)?'
  const whole = new RegExp(`^${cited.includes('/') ? '' : '(.*/)?'}${name}${ending}$`)
  return files.some(file => whole.test(file))
}

/** What is written for people: documents, and the comments of programs. */
function proseIn(file: string, text: string): string {
  if (file.endsWith('.md')) return pastProse.test(file) ? '' : text.replace(pastParagraph, '')
  const comment = file.endsWith('.ts') ? /^\s*(?:\/\/|\/?\*).*$|\s\/\/ .*$/gm : /^\s*#(?!!).*$/gm
  return (text.match(comment) ?? []).join('\n')
}

test('no file knows the machine it was written on', () => {
  const ours = [installFolder, os.homedir()].filter(place => place.split(path.sep).length > 2).map(place => `${place}/`)
  const somebodys = /(?<![\w.$}-])\/(?:Users|home|root)\/[\w.-]+\//
  const host = /\bregistry\.\w|"resolve[d]":/
  const wrong = texts.filter(
    ({ text }) => ours.some(place => text.includes(place)) || somebodys.test(text) || host.test(text),
  )
  none(
    wrong.map(({ file }) => file),
    'these files name a folder of a developer’s machine, or the host of a registry',
  )
})

// --- sizes: printed, not judged ---

test('sizes', t => {
  for (const floor of [4, 3, 2, 1]) {
    const here = code.filter(({ room }) => floors[room] === floor)
    const rooms = Object.keys(floors).filter(room => floors[room] === floor)
    const lengths = here.map(({ file, text }) => ({ name: file, lines: text.trimEnd().split('\n').length }))
    const functions = here.flatMap(functionsIn)
    t.diagnostic(`floor ${floor} (${rooms.join(' ')}): ${here.length} files, ${sum(lengths)} lines`)
    t.diagnostic(`  lines a file:     ${figures(lengths)}`)
    t.diagnostic(`  lines a function: ${figures(functions)} (${functions.length} functions)`)
  }
})

interface Sized {
  name: string
  lines: number
}

/** Functions and methods, found by their first line and the brace that closes at its indent: Biome lays them so. */
function functionsIn({ file, text }: Source): Sized[] {
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

function figures(sized: Sized[]): string {
  const sorted = sized.toSorted((a, b) => a.lines - b.lines)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return `median ${at(0.5)?.lines}, p90 ${at(0.9)?.lines}, max ${at(1)?.lines} (${at(1)?.name})`
}

function sum(sized: Sized[]): number {
  return sized.reduce((total, { lines }) => total + lines, 0)
}

// --- reading code ---

function textOf(file: string): string {
  return texts.find(source => source.file === file)?.text ?? ''
}

/** The source without its comments. */
function withoutComments(text: string): string {
  return text.replace(pieces, (whole, comment) => (comment === undefined ? whole : ''))
}

/** The source without comments, strings and patterns: names and signs. Of a template, the words go and the code stays. */
function bare(text: string): string {
  const plain = text.replace(pieces, (_, comment, string) =>
    comment !== undefined || string === undefined ? ' ' : "''",
  )
  return plain.replace(/`(?:[^`\\]|\\.)*`/g, template =>
    [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(' ; '),
  )
}
