/** Documents stay true: READMEs name their files, lists are complete, and what prose cites exists. */
import assert from 'node:assert/strict'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'dotenv'
import { installFolder, settingsSchema } from '#host/config'
import { resolveSessionPaths } from '#session/paths.ts'
import { assertNone, files, floors, getRoom, getText, texts } from './source-files.ts'

test('the README of a room has a line for each file, by its path in the room', () => {
  const wrong = [...Object.keys(floors), 'workspace', 'test'].flatMap(room => {
    const readme = texts.find(({ file }) => file === `${room}/README.md`)
    if (readme === undefined) return [`${room}/ has no README.md`]
    const listed = [...readme.text.matchAll(/^- (`.*)$/gm)].flatMap(([, line = '']) => line.split(' — ')[0] ?? '')
    const names = listed.flatMap(line => [...line.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
    const folders = names.filter(name => name.endsWith('/')) // A line for a folder is enough, such as one of templates.
    return files
      .filter(file => getRoom(file) === room && !/\/(README\.md|index\.ts)$/.test(file))
      .map(file => file.slice(room.length + 1))
      .filter(file => !names.includes(file) && !folders.some(folder => file.startsWith(folder)))
      .map(file => `${room}/README.md has no line for \`${file}\``)
  })
  assertNone(wrong, 'a README has one line for each file')
})

const paths = resolveSessionPaths('')
const sessionPaths = [
  ...Object.values(paths).filter(place => typeof place === 'string'),
  ...[paths.evidenceRecord('base-C1'), paths.evidenceOutput('base-C1'), paths.setupOutput('1a2b3c4d')],
  ...[paths.contractVersion(1), paths.packet(2), paths.judgeAnswer(2), paths.judgeQuestion(2), paths.roundVerdict(2)],
  ...Object.values(paths.worker('w')),
]

test('workspace/README.md explains every path of a session', () => {
  const names = sessionPaths.map(place => path.basename(place)).filter(name => !['', 'w'].includes(name))
  const readme = getText('workspace/README.md')
  assertNone(
    [...new Set(names)].filter(name => !readme.includes(name)),
    'workspace/README.md lacks these paths',
  )
})

test('docs/events.md explains every event', () => {
  const events = [...getText('session/log/event.ts').matchAll(/^ {2}'([a-z-]+\.[a-z-]+)': z\./gm)]
  assert.ok(events.length > 10)
  const listed = getText('docs/events.md')
  const missing = events.map(([, name = '']) => name).filter(name => !listed.includes(`\`${name}\``))
  assertNone(missing, 'docs/events.md lacks these events')
})

test('.env.example lists exactly the settings, in their order, with their defaults', () => {
  const written = parse(getText('.env.example'))
  const defaults = settingsSchema.parse({})
  const wanted = Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)]))
  assert.deepEqual(Object.entries(written), Object.entries(wanted))
})

/** Recorded screens, and what a decision replaced, may name what is gone. */
const pastProse = /^docs\/walk-|^CHANGELOG/
const pastParagraph = /^\*\*What it replaced\.\*\*(?:.+\n)*/gm

test('every path and every decision that prose cites exists', () => {
  const folders = [...new Set(files.filter(file => file.includes('/')).map(getRoom))].join('|')
  const cited = new RegExp(`(?<![\\w./~$}>-])(?:(?:${folders})/[\\w./*-]*|[\\w-]+\\.(?:md|ts)\\b)`, 'g')
  const known = ['AGENTS.md', ...sessionPaths.map(file => path.basename(file))]
  const wrong = texts.flatMap(({ file, text }) => {
    const prose = extractProse(file, text)
    const paths = (prose.match(cited) ?? []).map(name => name.replace(/[./]+$/, ''))
    const decisions = (prose.match(/(?<![\w.-])00\d\d(?![\w-])/g) ?? []).map(number => `docs/decisions/${number}`)
    const places = file === 'docs/real-world.md' ? ['test', '.'] : [getRoom(file), '.']
    const isKnown = (name: string) => known.includes(name) || places.some(place => exists(path.posix.join(place, name)))
    const missing = [...paths, ...decisions].filter(name => !isKnown(name))
    return [...new Set(missing)].map(name => `${file} cites ${name}`)
  })
  assertNone(wrong, 'these citations lead nowhere')
})

test('docs/real-world.md names tests, by their paths below test/', () => {
  const cells = [...getText('docs/real-world.md').matchAll(/^\| \d.*\| +(`.*`) +\|$/gm)].map(([, cell = '']) => cell)
  assert.ok(cells.length > 30)
  const named = cells.flatMap(cell =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => `test/${name.replace(/\/$/, '')}`),
  )
  assertNone(
    named.filter(name => !exists(name)),
    'docs/real-world.md names these tests, which do not exist',
  )
})

test('docs/decisions/README.md lists every decision, by its number', () => {
  const pages = files.filter(file => /^docs\/decisions\/\d/.test(file)).map(file => path.basename(file))
  const listed = [...getText('docs/decisions/README.md').matchAll(/^\| \[(\d{4}) .*?\]\((.*?)\)/gm)]
  assert.deepEqual(
    listed.map(([, , page]) => page),
    pages.toSorted(),
  )
  assertNone(
    listed.filter(([, number = '', page = '']) => !page.startsWith(number)).map(([, number]) => number ?? ''),
    'these numbers lead to another page',
  )
})

test('every relative link in a document leads to a file, and to a heading in it', () => {
  const documents = texts.filter(({ file }) => file.endsWith('.md') && !file.startsWith('test/fixtures/'))
  const wrong = documents.flatMap(({ file, text }) =>
    [...removeCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter(target => !/^[a-z]+:/.test(target) && !leadsSomewhere(file, target))
      .map(target => `${file} links to ${target}`),
  )
  assertNone(wrong, 'these links lead nowhere')
})

function leadsSomewhere(from: string, target: string): boolean {
  const [name = '', anchor] = target.split('#')
  const place = name === '' ? from : path.posix.join(path.posix.dirname(from), name).replace(/\/$/, '')
  const isThere = files.some(file => file === place || file.startsWith(`${place}/`))
  return isThere && (anchor === undefined || listAnchors(getText(place)).includes(anchor))
}

/** The anchors that GitHub gives to the headings of a document. */
function listAnchors(text: string): string[] {
  const headings = [...removeCode(text, false).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map(heading =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** A document without its blocks of code, and without code in its lines. */
function removeCode(text: string, alsoInLines = true): string {
  const lines = text.replace(/^ *```[\s\S]*?^ *```$/gm, '')
  return alsoInLines ? lines.replace(/`[^`\n]*`/g, '') : lines
}

/** A path, a bare file name, a path with `*`, a program or a test without its ending, or a decision by its number. */
function exists(cited: string): boolean {
  const name = cited.replaceAll('.', '\\.').replaceAll('*', '[^/]*')
  const ending = /\/\d{4}$/.test(cited) ? '-.*' : '((\\.test)?\\.ts|/.*)?'
  const whole = new RegExp(`^${cited.includes('/') ? '' : '(.*/)?'}${name}${ending}$`)
  return files.some(file => whole.test(file))
}

/** What is written for people: documents, and the comments of programs. */
function extractProse(file: string, text: string): string {
  if (file.endsWith('.md')) return pastProse.test(file) ? '' : text.replace(pastParagraph, '')
  const comment = file.endsWith('.ts') ? /^\s*(?:\/\/|\/?\*).*$|\s\/\/ .*$/gm : /^\s*#(?!!).*$/gm
  return (text.match(comment) ?? []).join('\n')
}

test('no file knows the machine it was written on', () => {
  const own = [installFolder, os.homedir()].filter(place => place.split(path.sep).length > 2).map(place => `${place}/`)
  const homes = /(?<![\w.$}-])\/(?:Users|home|root)\/[\w.-]+\//
  const registryHost = /\bregistry\.\w|"resolve[d]":/
  const wrong = texts.filter(
    ({ text }) => own.some(place => text.includes(place)) || homes.test(text) || registryHost.test(text),
  )
  assertNone(
    wrong.map(({ file }) => file),
    'these files name a folder of a developer’s machine, or the host of a registry',
  )
})
