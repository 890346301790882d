import fs from 'node:fs'
import { type Settings, secretSettings } from '../config/settings.ts'

/** Known secrets, with the base64 of each: secret settings, and variables whose name says that they are secret. */
export function listKnownSecrets(
  config: Partial<Settings> = {},
  environment: Record<string, string | undefined> = process.env,
): string[] {
  const settings = [
    ...secretSettings.map(name => String(config[name] ?? '')),
    extractUrlSecret(config.WEBHOOK_URL ?? ''),
  ]
  const variables = Object.entries(environment).flatMap(([name, value = '']) => listSecretValues(name, value))
  return addBase64Forms([...settings, ...variables].filter(isDistinctive))
}

/** The secrets in a text of `NAME=value` lines, such as the `.env` of a project, with the base64 of each. */
export function parseAssignedSecrets(text: string): string[] {
  const secrets = [...text.matchAll(ASSIGNMENT)].flatMap(([, name = '', value = '']) => {
    const [, , quoted] = /^(["'`])(.*?)\1/.exec(value) ?? []
    return listSecretValues(name, quoted ?? value.replace(/\s+#.*$|,?\s*$/, ''))
  })
  return addBase64Forms(secrets.filter(isDistinctive))
}

// --- internal ---

const MIN_SECRET_CHARS = 8
/** Shorter base64 would match by chance. */
const MIN_BASE64_CHARS = 12

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?["']?([\w.-]{1,200})["']?[ \t]*[=:][ \t]*(\S.{0,8191})$/gm
const SECRET_NAME =
  /(^|[_.-])(secret|token|password|passwd|passphrase|pwd|pass|credentials?|[a-z]*key|pat|webhook|dsn)s?([_.-](value|base64|prod|dev|live|test|id|\d+))?$/i
const HARMLESS_NAME = /(public|keymap|monkey|ssh_auth_sock|gpg_key|key_?id)/i

/** The value if its name says that it is secret, and passwords in addresses under any name. */
function listSecretValues(name: string, value: string): string[] {
  const passwords = [...value.matchAll(/:\/\/[^\s:@/]*:([^\s@/]+)@/g)].map(([, password = '']) => password)
  if (name === 'ANTHROPIC_CUSTOM_HEADERS') return value.split('\n').map(header => header.replace(/^[^:]*:\s*/, ''))
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name) ? [value, ...passwords] : passwords
}

/** A short value, a plain word, a number or a file path is not: it would be redacted everywhere in a text. */
function isDistinctive(value: string): boolean {
  if (value.length < MIN_SECRET_CHARS || /^(\p{L}{1,15}|\d{1,11}|(.)\2+)$/u.test(value)) return false
  return (
    !(/^[~/.]/.test(value) && fs.existsSync(value)) && !/^(https?:\/\/)?(localhost|127\.0\.0\.1)(:\d+)?\/?$/.test(value)
  )
}

/** The secret part of the address of a webhook: its path and query. */
function extractUrlSecret(address: string): string {
  if (!URL.canParse(address)) return ''
  const { pathname, search } = new URL(address)
  return pathname.length + search.length >= 16 ? pathname + search : ''
}

/** The values, and their base64 at each offset in a longer text, without the characters that neighbors change. */
function addBase64Forms(values: string[]): string[] {
  const forms = values.flatMap(value => [
    value,
    ...(value.length < MIN_BASE64_CHARS ? [] : [0, 1, 2].flatMap(offset => encodeBase64At(value, offset))),
  ])
  return [...new Set(forms)]
}

function encodeBase64At(value: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
  const base64 = whole.slice(offset === 0 ? 0 : 4)
  const base64url = base64.replaceAll('+', '-').replaceAll('/', '_')
  return base64.length < MIN_BASE64_CHARS ? [] : [...new Set([base64, base64url])]
}
