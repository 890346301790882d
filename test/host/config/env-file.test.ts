/** 100 settings files and environments, each with the settings or the problems that must result. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type Config, readConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/**
 * The settings that must result, or the problems, each as `line message` (no number: the whole file; `env`: the
 * environment).
 */
type Expected = Partial<Config> | string[]
type Content = string | Uint8Array | ((file: string, home: string) => void) | undefined
type Case = [name: string, content: Content, expected: Expected, environment?: Record<string, string>]

const number = (max: number, min = 1) => `it must be a whole number from ${min} to ${max}`
const unknown = 'is not a setting'
const notAssignment = 'this line is not a setting; write NAME=value'
const inQuotes = 'has a # in its value; put the value in quotes'
const oneQuote = 'needs one " before its value and one after it, on the same line'
const notText = 'this line has bytes that are not text; save the file as UTF-8'
const model = 'it must be the name of a model'
const topicOf64 = '5f44dd2cbe554eb549b6645279e50bcdb31df345053ab16828ab6ca61f601bc8'
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))))

const cases: Case[] = [
  // --- valid files ---
  ['no file', undefined, { ROUNDS: 3, WEBUI_PORT: 7777 }],
  ['an empty file', '', { ROUNDS: 3 }],
  ['blank lines and comments only', '\n  \n# ROUNDS=9\n\t# x\n', { ROUNDS: 3 }],
  ['one setting', 'ROUNDS=5\n', { ROUNDS: 5 }],
  ['no line break at the end', 'ROUNDS=5', { ROUNDS: 5 }],
  ['CRLF', 'ROUNDS=5\r\nCODE_MODEL=haiku\r\n', { ROUNDS: 5, CODE_MODEL: 'haiku' }],
  ['lone CR', 'ROUNDS=5\rCODE_MODEL=haiku\r', { ROUNDS: 5, CODE_MODEL: 'haiku' }],
  ['a byte order mark', '\ufeffROUNDS=5\n', { ROUNDS: 5 }],
  ['a byte order mark before a comment', '\ufeff# mine\nROUNDS=5\n', { ROUNDS: 5 }],
  ['export', 'export ROUNDS=5\n', { ROUNDS: 5 }],
  ['export with many blanks', '  export \t ROUNDS=5\n', { ROUNDS: 5 }],
  ['blanks around the sign', 'ROUNDS = 5\n', { ROUNDS: 5 }],
  ['a colon, as dotenv reads it', 'ROUNDS: 5\n', { ROUNDS: 5 }],
  ['double quotes', 'CODE_MODEL="haiku"\n', { CODE_MODEL: 'haiku' }],
  ['single quotes', "CODE_MODEL='haiku'\n", { CODE_MODEL: 'haiku' }],
  ['backquotes', 'CODE_MODEL=`haiku`\n', { CODE_MODEL: 'haiku' }],
  ['a comment after a value', 'ROUNDS=5 # enough\n', { ROUNDS: 5 }],
  ['a comment after quotes', 'CODE_MODEL="haiku" # small\n', { CODE_MODEL: 'haiku' }],
  ['a comment right after quotes', 'CODE_MODEL="haiku"# small\n', { CODE_MODEL: 'haiku' }],
  ['# in quotes', 'NTFY_TOKEN="tk#1"\n', { NTFY_TOKEN: 'tk#1' }],
  ['= in a value', 'NTFY_TOKEN=tk=1==\n', { NTFY_TOKEN: 'tk=1==' }],
  ['$ is not a variable', 'NTFY_TOKEN=$HOME\n', { NTFY_TOKEN: '$HOME' }],
  ['a command is only text', 'NTFY_TOKEN=`id`\nGEMINI_API_KEY=$(id)\n', { NTFY_TOKEN: 'id', GEMINI_API_KEY: '$(id)' }],
  ['nothing after the sign is the default', 'ROUNDS=\nCODE_MODEL=\n', { ROUNDS: 3, CODE_MODEL: 'opus' }],
  ['empty quotes are the default', 'ROUNDS=""\n', { ROUNDS: 3 }],
  ['only a comment after the sign', 'ROUNDS= # later\n', { ROUNDS: 3 }],
  ['trailing blanks', 'DESKTOP=off  \t\n', { DESKTOP: 'off' }],
  ['a number with leading zeros', 'ROUNDS=007\n', { ROUNDS: 7 }],
  ['the limits', 'ROUNDS=1\nWATCHDOG_TIMEOUT_SEC=86400\n', { ROUNDS: 1, WATCHDOG_TIMEOUT_SEC: 86_400 }],
  ['port 0', 'WEBUI_PORT=0\n', { WEBUI_PORT: 0 }],
  ['a model with a context size', 'CODE_MODEL=sonnet[1m]\n', { CODE_MODEL: 'sonnet[1m]' }],
  [
    'a model by its address',
    'CODE_MODEL=arn:aws:bedrock:x:1:p/us.y-v1:0\n',
    { CODE_MODEL: 'arn:aws:bedrock:x:1:p/us.y-v1:0' },
  ],
  [
    'an address with a port and a path',
    'NTFY_SERVER=http://127.0.0.1:8080/ntfy\n',
    { NTFY_SERVER: 'http://127.0.0.1:8080/ntfy' },
  ],
  ['a topic of 64', `NTFY_TOPIC=${topicOf64}\n`, { NTFY_TOPIC: topicOf64 }],
  [
    'DISPATCH_HOME that names this home',
    (file, home) => fs.writeFileSync(file, `DISPATCH_HOME=${home}\n`),
    { ROUNDS: 3 },
  ],
  ['DISPATCH_HOME left empty', 'DISPATCH_HOME=\n', { ROUNDS: 3 }],
  [
    'a link to a file',
    (file, home) => {
      fs.writeFileSync(path.join(home, 'real'), 'ROUNDS=5')
      fs.symlinkSync('real', file)
    },
    { ROUNDS: 5 },
  ],
  ['a file of 256 KiB', `ROUNDS=5\n#${'x'.repeat(262_134)}`, { ROUNDS: 5 }],

  // --- the environment wins ---
  ['the environment wins', 'ROUNDS=5\n', { ROUNDS: 7 }, { ROUNDS: '7' }],
  ['an empty value in the environment wins', 'ROUNDS=5\n', { ROUNDS: 3 }, { ROUNDS: '' }],
  ['the environment wins over an invalid value', 'ROUNDS=x\n', { ROUNDS: 7 }, { ROUNDS: '7' }],
  [
    'the environment switches the phone off',
    'NTFY_TOPIC=6bb2cbf5a1ae4b8ab5dcd1f0c9d3ae47\n',
    { NTFY_TOPIC: '' },
    { NTFY_TOPIC: '' },
  ],
  ['an unknown variable in the environment is ignored', '', { ROUNDS: 3 }, { ROUND: '7', __proto__x: '1' }],
  ['invalid in the environment', '', [`env ROUNDS=x: ${number(20)}`], { ROUNDS: 'x' }],
  [
    'invalid in both',
    'DESKTOP=maybe\n',
    ['1 DESKTOP=maybe: it must be on or off', `env ROUNDS=0: ${number(20)}`],
    { ROUNDS: '0' },
  ],
  ['a line break in the environment', '', [`env ROUNDS="5\\n": ${number(20)}`], { ROUNDS: '5\n' }],

  // --- invalid values ---
  ['a word for a number', 'ROUNDS=three\n', [`1 ROUNDS=three: ${number(20)}`]],
  ['too large', '\nROUNDS=21\n', [`2 ROUNDS=21: ${number(20)}`]],
  ['too small', 'ROUNDS=0\n', [`1 ROUNDS=0: ${number(20)}`]],
  ['negative', 'ROUNDS=-1\n', [`1 ROUNDS=-1: ${number(20)}`]],
  ['a fraction', 'ROUNDS=1.5\n', [`1 ROUNDS=1.5: ${number(20)}`]],
  ['hexadecimal', 'ROUNDS=0x10\n', [`1 ROUNDS=0x10: ${number(20)}`]],
  ['an exponent', 'ROUNDS=1e1\n', [`1 ROUNDS=1e1: ${number(20)}`]],
  ['Infinity', 'ROUNDS=Infinity\n', [`1 ROUNDS=Infinity: ${number(20)}`]],
  ['NaN', 'ROUNDS=NaN\n', [`1 ROUNDS=NaN: ${number(20)}`]],
  ['a number beyond all bounds', 'ROUNDS=99999999999999999999\n', [`1 ROUNDS=99999999999999999999: ${number(20)}`]],
  ['digits of another script', 'ROUNDS=٣\n', [`1 ROUNDS=٣: ${number(20)}`]],
  ['a number with a unit', 'WATCHDOG_TIMEOUT_SEC=15m\n', [`1 WATCHDOG_TIMEOUT_SEC=15m: ${number(86_400, 5)}`]],
  ['a port too high', 'WEBUI_PORT=65536\n', [`1 WEBUI_PORT=65536: ${number(65_535, 0)} (0: no page)`]],
  ['a switch in capitals', 'DESKTOP=ON\n', ['1 DESKTOP=ON: it must be on or off']],
  ['a switch as true', 'DESKTOP=true\n', ['1 DESKTOP=true: it must be on or off']],
  [
    'a host without its scheme',
    'NTFY_SERVER=ntfy.sh\n',
    ['1 NTFY_SERVER=ntfy.sh: it must be an address such as https://ntfy.sh'],
  ],
  [
    'a scheme that is not for this',
    'NTFY_SERVER=file:///etc/passwd\n',
    ['1 NTFY_SERVER=file:///etc/passwd: it must be an address such as https://ntfy.sh'],
  ],
  [
    'a script as an address',
    'GOOGLE_GEMINI_BASE_URL=javascript:alert(1)\n',
    ['1 GOOGLE_GEMINI_BASE_URL=javascript:alert(1): it must be an address such as https://example.com, or empty'],
  ],
  [
    'an address without a host',
    'NTFY_SERVER=http://\n',
    ['1 NTFY_SERVER=http://: it must be an address such as https://ntfy.sh'],
  ],
  [
    'a model that looks like an option',
    'CODE_MODEL=--dangerously-skip-permissions\n',
    [`1 CODE_MODEL=--dangerously-skip-permissions: ${model}, or up to eight with commas`],
  ],
  ['a model with a blank', "RW_MODEL='x y'\n", [`1 RW_MODEL="x y": ${model}`]],
  [
    'a model over two lines',
    'RW_MODEL="x\ny"\nROUNDS=x\n',
    [`1 RW_MODEL ${oneQuote}`, `2 ${notAssignment}`, `3 ROUNDS=x: ${number(20)}`],
  ],
  ['a model with an escape sequence', 'RW_MODEL=\u001b[2J\n', [`1 RW_MODEL="\\u001b[2J": ${model}`]],
  ['a value of 10,000 letters is cut', `RW_MODEL=${'x'.repeat(10_000)}\n`, [`1 RW_MODEL=${'x'.repeat(60)}…: ${model}`]],

  // --- secrets ---
  [
    'a topic with a blank is not shown',
    'NTFY_TOPIC=my secret\n',
    [
      '1 NTFY_TOPIC: it must be hard to guess: 20 to 64 letters, digits, - and _, at least 10 different ones and a digit (`dispatch notify setup` makes one)',
    ],
  ],
  [
    'a topic of 65 is not shown',
    `NTFY_TOPIC=${'x'.repeat(65)}\n`,
    [
      '1 NTFY_TOPIC: it must be hard to guess: 20 to 64 letters, digits, - and _, at least 10 different ones and a digit (`dispatch notify setup` makes one)',
    ],
  ],
  [
    'a key with a blank is not shown',
    'GEMINI_API_KEY="AIza secret"\n',
    ['1 GEMINI_API_KEY: it must be a key: printable ASCII without blanks'],
  ],
  [
    'a key over two lines is not shown',
    'GEMINI_API_KEY="secret\nsecret"\n',
    [`1 GEMINI_API_KEY ${oneQuote}`, `2 ${notAssignment}`],
  ],
  [
    'a token that is not ASCII is not shown',
    'NTFY_TOKEN=sécret\n',
    ['1 NTFY_TOKEN: it must be a token: printable ASCII without blanks'],
  ],
  [
    'an address with a password is not shown',
    'NTFY_SERVER=ftp://me:secret@host\n',
    ['1 NTFY_SERVER: it must be an address such as https://ntfy.sh'],
  ],
  ['a key without a name is not shown', 'AIzaSecret0123\n', [`1 ${notAssignment}`]],
  ['a key before the sign is not shown', 'AIzaSecret0123=\n', [`1 the name in this line ${unknown}`]],
  ['a key without its sign is not shown', 'GEMINI_API_KEY AIzaSecret0123\n', [`1 ${notAssignment}`]],

  // --- names ---
  ['a missing letter', 'ROUND=3\n', [`1 ROUND ${unknown}; did you mean ROUNDS?`]],
  ['small letters', 'webui_port=1\n', [`1 webui_port ${unknown}; did you mean WEBUI_PORT?`]],
  ['dashes', 'WEBUI-PORT=1\n', [`1 WEBUI-PORT ${unknown}; did you mean WEBUI_PORT?`]],
  ['nothing similar', 'COLOUR=blue\n', [`1 COLOUR ${unknown}`]],
  [
    'a variable of claude',
    'ANTHROPIC_API_KEY=sk-secret\n',
    ['1 ANTHROPIC_API_KEY is a variable of claude, not a setting; set it in the environment of your shell'],
  ],
  [
    'DISPATCH_HOME that moves',
    'DISPATCH_HOME=/elsewhere\n',
    ['1 DISPATCH_HOME: this file is inside that folder, so it cannot move it; set it in the environment'],
  ],
  ['twice', 'ROUNDS=1\n\nROUNDS=2\n', ['3 ROUNDS is already set on line 1']],
  [
    'three times, with a multi-line value between',
    'ROUNDS=1\nNTFY_TOKEN="\n"\nROUNDS=2\nROUNDS=3\n',
    [
      `2 NTFY_TOKEN ${oneQuote}`,
      `3 ${notAssignment}`,
      '4 ROUNDS is already set on line 1',
      '5 ROUNDS is already set on line 1',
    ],
  ],
  ['__proto__', '__proto__=polluted\n', [`1 __proto__ ${unknown}`]],
  ['__proto__ with JSON', '__proto__={"x":1}\n', [`1 __proto__ ${unknown}`]],
  [
    'constructor, prototype and toString',
    'constructor=1\nprototype=1\ntoString=1\n',
    [`1 constructor ${unknown}`, `2 prototype ${unknown}`, `3 toString ${unknown}`],
  ],
  ['a path into the prototype', 'constructor.prototype.x=1\n', [`1 constructor.prototype.x ${unknown}`]],

  // --- invalid lines ---
  ['no sign', 'ROUNDS\n', [`1 ${notAssignment}`]],
  ['no name', '=5\n', [`1 ${notAssignment}`]],
  ['JSON', '{\n "ROUNDS": 5\n}\n', [`1 ${notAssignment}`, `2 ${notAssignment}`, `3 ${notAssignment}`]],
  ['a quote never closed', '# x\nCODE_MODEL="haiku\nROUNDS=5\n', [`2 CODE_MODEL ${oneQuote}`]],
  ['something after the quotes', 'CODE_MODEL="haiku" small\n', [`1 CODE_MODEL ${oneQuote}`]],
  ['a secret with a quote never closed', 'NTFY_TOKEN="tk_secret\n', [`1 NTFY_TOKEN ${oneQuote}`]],
  ['a comment with a # in it', 'ROUNDS=5 # see #7 and a#b\n', { ROUNDS: 5 }],
  ['a quote inside other quotes', "NTFY_TOKEN='\"tk'\n", { NTFY_TOKEN: '"tk' }],
  ['# in a value without quotes', 'NTFY_TOKEN=tk#1\n', [`1 NTFY_TOKEN ${inQuotes}`]],

  // --- invalid files ---
  ['a NUL byte', bytes('ROUNDS=5\nRW_MODEL=x', 0, 'y\n'), [`2 ${notText}`]],
  ['invalid UTF-8', bytes('ROUNDS=5\nRW_MODEL=', 0xff, '\n'), [`2 ${notText}`]],
  ['UTF-16', bytes(0xff, 0xfe, 'R', 0, 'O', 0), [`1 ${notText}`]],
  ['5 MB', 'A=1\n'.repeat(1_250_000), [' it has 5000000 bytes; the limit is 262144']],
  ['a folder', file => fs.mkdirSync(file), [' it is a folder, not a file']],
  ['a FIFO', file => execFileSync('mkfifo', [file]), [' it is not a regular file']],
  ['a link to a device', file => fs.symlinkSync('/dev/zero', file), [' it is not a regular file']],
  ['a link to nothing', file => fs.symlinkSync('gone', file), [' it is a link to a file that does not exist']],
  ['a link to itself', file => fs.symlinkSync('.env', file), [' it is a link that leads back to itself']],
]

test('there are at least 100 cases, each with its own name', () => {
  assert.ok(cases.length >= 100, String(cases.length))
  assert.equal(new Set(cases.map(([name]) => name)).size, cases.length)
})

for (const [name, content, expected, environment = {}] of cases) {
  test(name, t => {
    const home = fs.realpathSync(createScratchFolder(t))
    const file = path.join(home, '.env')
    if (typeof content === 'function') content(file, home)
    else if (content !== undefined) fs.writeFileSync(file, content)
    const outcome = readOutcome({ DISPATCH_HOME: home, ...environment })
    if (Array.isArray(expected)) {
      assert.ok(outcome instanceof DispatchError, 'it was accepted')
      assert.equal(outcome.exitCode, 2)
      assert.deepEqual(parseProblems(outcome, file), expected)
      assert.doesNotMatch(outcome.message, /secret|AIza/i)
    } else {
      assert.ok(!(outcome instanceof DispatchError), String(outcome))
      for (const [setting, value] of Object.entries(expected)) assert.equal(outcome[setting as keyof Config], value)
    }
    assert.equal(({} as { x?: unknown; polluted?: unknown }).x, undefined)
    assert.deepEqual(Object.keys(Object.getPrototypeOf(outcome) ?? {}), [])
  })
}

function readOutcome(environment: Record<string, string>): Config | DispatchError {
  try {
    return readConfig(environment)
  } catch (error) {
    if (error instanceof DispatchError) return error
    throw error
  }
}

/** The reported problems, each without the name of its file: `3 ROUNDS=99: …`. */
function parseProblems({ message }: DispatchError, file: string): string[] {
  const [, ...lines] = message.split('\n  ')
  return lines.map(line => {
    if (line.startsWith('environment: ')) return line.replace('environment: ', 'env ')
    assert.ok(line.startsWith(file), line)
    return line
      .slice(file.length)
      .replace(/^:(\d+): /, '$1 ')
      .replace(/^: /, ' ')
  })
}
