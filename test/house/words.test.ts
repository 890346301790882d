/** The words of the house: names that say something, constants with a unit, plain English in what people and agents read. */
import { test } from 'node:test'
import { assertNone, code, files, pieces, removeStrings, texts } from './source-files.ts'

/** Names that a vendor has chosen for a setting. */
const vendorNames = ['apiKeyHelper', 'packageManager']

/** Words that name nothing. A service is a program beside a check, so that word names something here. */
const emptyNames = /(manager|handler|helper|utils?$|^utils?|Utils?(?=[A-Z]|$))/i

test('no name is empty: manager, handler, util, helper', () => {
  const wrong = texts
    .filter(({ file }) => file.endsWith('.ts') && !file.startsWith('test/house/'))
    .flatMap(({ file, text }) => {
      const names = new Set(removeStrings(text).match(/[\p{L}_$][\p{L}\d_$]*/gu) ?? [])
      return [...names]
        .filter(name => emptyNames.test(name) && !vendorNames.includes(name))
        .map(name => `${file}: ${name}`)
    })
  const named = files.filter(file => /\b(managers?|handlers?|utils?|helpers?|core|common)\b/i.test(file))
  assertNone([...wrong, ...named], 'these names say nothing')
})

test('nothing is left for later in a comment', () => {
  const later = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|X{3})\\b`)
  const wrong = texts.filter(({ file, text }) => !/^(package-lock\.json|LICENSE)$/.test(file) && later.test(text))
  assertNone(
    wrong.map(({ file }) => file),
    'these files put something off',
  )
})

/** What a number counts or measures, as the last word of a constant's name or before a word such as LIMIT. */
const units =
  /(^|_)(MS|SECONDS|MINUTES|HOURS|DAYS|BYTES|CHARACTERS|DIGITS|ANCESTORS|PASSES|ENCODINGS|LINKS|KIB|MIB|BITS|CHARS|LINES|COLUMNS|ROWS|PIXELS|USD|PERCENT|RATIO|SIZE|LENGTH|DEPTH|WIDTH|HEIGHT|COUNT|ATTEMPTS|FAILURES|ROUNDS|RESTARTS|TURNS|DRAFTS|TRIES|REPEATS|FILES|FOLDERS|NAMES|ITEMS|ENTRIES|EVENTS|SESSIONS|WORKERS|MESSAGES|NOTIFICATIONS|REQUESTS|RECORDS|PROBLEMS|FINDINGS|SECRETS|CLAUSES|SENTENCES|PINS|PATHS|HITS|MATCHES|TOKENS|WORDS|LEVELS|STEPS|GENERATIONS|PROCESSES|VERSION|PORT|PRIORITY|MODE|FLAG|MASK|CODE|COLUMN|FD|HEADS|COMMITS|HOSTS|REDIRECTS|EDITS|REASONS|NOTES|OBJECTS|LEAKS|TEXTS|DUMPS|OPTIONS|PARTS|WINDOWS|ARGUMENTS|CHANGES)(_|$)/

test('a constant number carries its unit', () => {
  const declared = /^(?:export )?const (\w+)(?:: number)? = (-?[\d_.]+(?:e\d+)?(?: ?(?:\*|<<|\+|-) ?[\w.]+)*)$/gm
  const wrong = code.flatMap(({ file, text }) =>
    [...text.matchAll(declared)]
      .filter(([, name = '']) => !/^[A-Z][A-Z0-9_]*$/.test(name) || !units.test(name))
      .map(([, name, value]) => `${file}: ${name} = ${value}`),
  )
  assertNone(wrong, 'these constants need a name in capitals that says what they count or measure')
})

/** Words of an old dialect, with what to write instead. */
const dialect: [RegExp, string][] = [
  [/\b(?:un)?heed(?:s|ed|ing)?\b/i, 'use, obey, read'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix, repair'],
  [/\banew\b/i, 'again'],
  [/\b(?:is|are|was|were) none\b/, 'does not exist, there is no …'],
  [/\bof (?:ours|yours|theirs|mine)\b/i, 'our, your, their'],
  [/\bwho(?:m)?(?:so)?ever\b/i, 'anyone who, the process that'],
  [/\bsomebody\b/i, 'another person, another process, or the passive'],
  [/\bheld against\b/i, 'checked against, compared with'],
  [/\bstem(?:s|med)? from\b/i, 'comes from'],
  [/\bfurnish/i, 'provide, install'],
  [/\bbefall/i, 'happen to'],
  [/\bstands? (?:as|in)\b(?! for\b)/, 'is'],
]

/** Where these words may stand: quoted vendor text, corpora, the licence, and what names them. */
const isExempt = (file: string) =>
  /^(LICENSE|package-lock\.json|test\/house\/words\.test\.ts|docs\/walk-)/.test(file) ||
  /^test\/fixtures\/(screens|tasks|tokens|hostile)/.test(file)

test('what people and agents read is plain English', () => {
  const wrong = texts
    .filter(({ file }) => !isExempt(file))
    .flatMap(({ file, text }) => {
      const prose = file.endsWith('.ts') ? extractProse(text) : text
      return dialect.flatMap(([word, better]) => {
        const found = word.exec(prose)
        return found ? [`${file}: "${found[0]}" (better: ${better})`] : []
      })
    })
  assertNone(wrong, 'these files use words of an old dialect')
})

/** The comments, strings and templates of a file. */
function extractProse(text: string): string {
  const parts = [...text.matchAll(pieces)].map(([whole]) => whole)
  return [...parts, ...(text.match(/`(?:[^`\\]|\\.)*`/g) ?? [])].join('\n')
}
