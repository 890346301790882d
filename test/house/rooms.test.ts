/** The walls of the house: floors, faces, circles, and who owns a package, a program or the environment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crossings, findCircles, getPackage, imports } from './imports.ts'
import {
  assertNone,
  code,
  floors,
  getRoom,
  getText,
  removeComments,
  removeStrings,
  shell,
  texts,
} from './source-files.ts'

/** The one role that composes others, so that the command line need not (docs/decisions/0002). */
const composed: Record<string, string[]> = { runner: ['agents', 'validator', 'notify', 'watchdog'] }

/** The one file that imports each package. Every file may describe shapes, so zod has no owner. */
const owners: Record<string, string> = {
  execa: 'host/exec.ts',
  dotenv: 'host/config/env-file.ts',
  'jsonc-parser': 'host/json.ts',
  yaml: 'intake/front-matter.ts',
  chokidar: 'session/log/follow.ts',
  '@google/genai': 'validator/gemini.ts',
  'node-notifier': 'notify/channels/desktop.ts',
  ntfy: 'notify/channels/ntfy.ts',
  express: 'webui/app.ts',
  eta: 'webui/render.ts',
  'markdown-it': 'host/markdown.ts',
  uqr: 'cli/notify/qr.ts',
  diff: 'cli/output/diff.ts',
  'string-width': 'cli/output/terminal.ts',
  '@anthropic-ai/sandbox-runtime': 'host/sandbox/library.ts',
  rolldown: 'scripts/build.ts',
  '@octokit/rest': 'forge/octokit.ts',
  '@octokit/plugin-throttling': 'forge/octokit.ts',
  bottleneck: 'forge/octokit.ts',
  '@octokit/plugin-retry': 'forge/octokit.ts',
  '@octokit/auth-app': 'forge/app-login.ts',
}

/** The one folder of TypeScript that runs each foreign program. */
const programs: Record<string, string> = { tmux: 'host/tmux/', git: 'host/git/', claude: 'host/claude/', gh: 'forge/' }

/** Shell that runs one of them all the same, and why. */
const shellPrograms: Record<string, string> = {
  'agents/worker.sh': 'it runs inside the worker’s own window, in the worker’s folder',
  'agents/worker-git.sh': 'it is git in the worker’s folder, inside the worker’s sandbox',
  'host/lfs/filter.sh': 'git runs it, as a filter',
}

/** Code outside bin/ and scripts/ that ends the process, and why. */
const exiting: Record<string, string> = {
  'cli/main.ts': 'it turns errors into exit codes for every entry point',
  'rehearsal/rehearse.ts': 'Node goes on after a signal that is handled; this one stops its session first',
}

/** The files that may know that models can be scripted. */
const rehearsed = [
  'cli/commands/rehearse.ts',
  'cli/commands/index.ts',
  'cli/commands/update.ts',
  'cli/update/prepare.ts',
  'cli/update/update.ts',
  'package.json',
  'tsconfig.json',
]

/** The files that redact without the secrets in the ignored files of a session, and why. */
const withoutSession: Record<string, string> = {
  'session/secrets/session-secrets.ts': 'it adds them',
  'cli/actions/report.ts': 'what a job says that has no session',
  'cli/home-notification.ts': 'lines in which no session has a part',
  'cli/split/propose.ts': 'its agent has the files of the commit alone',
  'notify/channels/send.ts': 'what waits to be sent has lost them, and its session may be gone',
  'notify/create-notification.ts': 'nothing of the session is told where they cannot be known',
  'runner/dependencies/setup-access.ts': 'the output of setup commands stays on this machine',
}

const MAX_FACE_NAMES = 25

test('imports only go down, and roles do not import each other', () => {
  const wrong = crossings.filter(({ room, to = '' }) => {
    const target = getRoom(to)
    const isDown = (floors[target] ?? 99) < (floors[room] ?? 0)
    return !isDown && !composed[room]?.includes(target)
  })
  assertNone(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    'these imports go up or sideways',
  )
})

test('another room is entered by a face, the own room by its files', () => {
  const wrong = imports.filter(({ room, specifier, to = '' }) => {
    if (to === '') return false
    if (getRoom(to) === room) return !specifier.startsWith('.')
    if (!specifier.startsWith('#')) return true
    if (to.endsWith('/index.ts') || to === 'session/readonly.ts') return false
    const isTopOfHost = /^host\/[\w-]+\.ts$/.test(to)
    const isEntryPoint = getRoom(to) === 'cli' && floors[room] === 5
    return !isTopOfHost && !isEntryPoint && !(getRoom(to) === 'bin' && room === 'cli')
  })
  assertNone(
    wrong.map(({ from, specifier }) => `${from} imports ${specifier}`),
    'these imports pass a face',
  )
})

test('no files import each other in a circle', () => {
  assertNone(findCircles(), 'circles')
})

test('the page reaches nothing that writes a session', () => {
  const wrong = crossings.filter(({ room, to = '' }) => {
    return room === 'webui' && getRoom(to) !== 'host' && to !== 'session/readonly.ts'
  })
  assertNone(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    'webui may import session/readonly.ts and host only',
  )
})

test('a face lists at most 25 names, each by name', () => {
  const faces = code.filter(({ file }) => /(^|\/)(index|readonly)\.ts$/.test(file) && file !== 'cli/commands/index.ts')
  const wrong = faces.flatMap(({ file, text }) => {
    const plain = removeComments(text)
    const listed = [...plain.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) => names.split(','))
    const own = [...plain.matchAll(/^export (?:async )?(?:function|const|class|interface|type) (?!\{)/gm)]
    const count = listed.filter(name => name.trim() !== '').length + own.length
    return [
      ...(count > MAX_FACE_NAMES ? [`${file}: ${count} names`] : []),
      ...(/export \*/.test(plain) ? [`${file}: export *`] : []),
    ]
  })
  assertNone(wrong, 'these faces are too wide')
})

test('each package has one owner', () => {
  const wrong = imports.flatMap(each => {
    const name = getPackage(each)
    return name === undefined || name === 'zod' || owners[name] === each.from ? [] : [`${each.from} imports ${name}`]
  })
  assertNone(wrong, 'only the owner of a package imports it')
})

test('each dependency is used by its owner', () => {
  const { dependencies } = JSON.parse(getText('package.json')) as { dependencies: Record<string, string> }
  assert.deepEqual(Object.keys(dependencies).sort(), [...Object.keys(owners), 'zod'].sort())
  const unused = Object.entries(owners).filter(([name, file]) => {
    return (
      !imports.some(each => each.from === file && getPackage(each) === name) && !getText(file).includes(`'${name}'`)
    )
  })
  assertNone(
    unused.map(([name, file]) => `${file} does not import ${name}`),
    'these owners do not use their package',
  )
})

test('each foreign program is run from one folder', () => {
  const called = /(?:\w\(\s*|\[\s*)'(tmux|git|claude|gh)'\s*,\s*\[/g
  const wrong = code.flatMap(({ file, text }) =>
    [...removeComments(text).matchAll(called)]
      .filter(([, program = '']) => !file.startsWith(programs[program] ?? ''))
      .map(([, program = '']) => `${file} runs ${program} (owner: ${programs[program]})`),
  )
  const command = /(?:^|[;&|(]|\b(?:exec|if|while|then|else|do))\s*(tmux|git|claude|gh)\s/m
  const inShell = shell
    .filter(({ file, text }) => !(file in shellPrograms) && command.test(text.replace(/#.*$/gm, '')))
    .map(({ file }) => `${file} runs ${Object.keys(programs).join(', ')}`)
  assertNone([...wrong, ...inShell], 'only its owner runs a foreign program')
})

test('what is sent or published loses all secrets of its session, and not only those of dispatch', () => {
  const wrong = code.filter(
    ({ file, room, text }) => room !== 'host' && !(file in withoutSession) && /\blistKnownSecrets\b/.test(text),
  )
  assertNone(
    wrong.map(({ file }) => file),
    'these files leave out the secrets in the ignored files of a session: use #session/secrets',
  )
})

test('only host/ reads the environment', () => {
  const wrong = code.filter(
    ({ room, text }) => room !== 'host' && /\bprocess\.env\b|\benv\b.*'node:process'/.test(removeStrings(text)),
  )
  assertNone(
    wrong.map(({ file }) => file),
    'these files read process.env',
  )
})

test('only an entry point ends the process', () => {
  const wrong = code.filter(({ file, room, text }) => {
    const isAllowed = floors[room] === 5 || file in exiting
    return !isAllowed && /\bprocess\.(exit|exitCode|abort|reallyExit)\b/.test(removeStrings(text))
  })
  assertNone(
    wrong.map(({ file }) => file),
    'these files end the process',
  )
})

test('only its own command knows that models can be scripted', () => {
  const wrong = texts.filter(({ file, text }) => {
    const isExempt = /^(rehearsal|test|docs)\//.test(file) || file.endsWith('.md') || rehearsed.includes(file)
    return !isExempt && /rehears/i.test(text)
  })
  assertNone(
    wrong.map(({ file }) => file),
    'these files know of rehearsal/',
  )
})
