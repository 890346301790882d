import fs from 'node:fs'
import { type Settings, secretSettings } from '../config/settings.ts'

/**
 * The secrets that we were handed, so that their exact values can be withheld: our own settings, and every variable whose
 * name says so, with the base64 of each.
 */
export function listKnownSecrets(
  config: Partial<Settings> = {},
  environment: Record<string, string | undefined> = process.env,
): string[] {
  const own = [...secretSettings.map(name => String(config[name] ?? '')), secretPartOfUrl(config.WEBHOOK_URL ?? '')]
  const around = Object.entries(environment).flatMap(([name, value = '']) => listSecretValues(name, value))
  return addBase64Forms([...own, ...around].filter(isDistinctive))
}

/** The secrets in a file of `NAME=value` lines, such as a project's `.env`, with the base64 of each. */
export function parseAssignedSecrets(text: string): string[] {
  const found = [...text.matchAll(assignmentPattern)].flatMap(([, name = '', written = '']) => {
    const [, , quoted] = /^(["'`])(.*?)\1/.exec(written) ?? []
    return listSecretValues(name, quoted ?? written.replace(/\s+#.*$|,?\s*$/, ''))
  })
  return addBase64Forms(found.filter(isDistinctive))
}

// --- internal ---

const assignmentPattern = /^[ \t]*(?:export[ \t]+)?["']?([\w.-]{1,200})["']?[ \t]*[=:][ \t]*(\S.{0,8191})$/gm
const secretNamePattern =
  /(^|[_.-])(secret|token|password|passwd|passphrase|pwd|pass|credentials?|[a-z]*key|pat|webhook|dsn)s?([_.-](value|base64|prod|dev|live|test|id|\d+))?$/i
const harmlessNamePattern = /(public|keymap|monkey|ssh_auth_sock|gpg_key|key_?id)/i

/** The value, where its name says that it is a secret; and the password of an address under any name. */
function listSecretValues(name: string, value: string): string[] {
  const passwords = [...value.matchAll(/:\/\/[^\s:@/]*:([^\s@/]+)@/g)].map(([, password = '']) => password)
  if (name === 'ANTHROPIC_CUSTOM_HEADERS') return value.split('\n').map(header => header.replace(/^[^:]*:\s*/, ''))
  return secretNamePattern.test(name) && !harmlessNamePattern.test(name) ? [value, ...passwords] : passwords
}

/** Long enough, and neither a plain word, a number, nor the path of a file: those would be withheld wherever they stand. */
function isDistinctive(value: string): boolean {
  if (value.length < 8 || /^(\p{L}{1,15}|\d{1,11}|(.)\2+)$/u.test(value)) return false
  return (
    !(/^[~/.]/.test(value) && fs.existsSync(value)) && !/^(https?:\/\/)?(localhost|127\.0\.0\.1)(:\d+)?\/?$/.test(value)
  )
}

/** The part of a webhook's address that nobody else knows. */
function secretPartOfUrl(address: string): string {
  if (!URL.canParse(address)) return ''
  const { pathname, search } = new URL(address)
  return pathname.length + search.length >= 16 ? pathname + search : ''
}

/** With the base64 of each, wherever in a longer base64 text it stands: what its neighbours change is left off. */
function addBase64Forms(values: string[]): string[] {
  const forms = values.flatMap(value => [
    value,
    ...(value.length < 12 ? [] : [0, 1, 2].flatMap(at => encodeBase64At(value, at))),
  ])
  return [...new Set(forms)]
}

function encodeBase64At(value: string, at: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(at), Buffer.from(value)])
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
  const form = whole.slice(at === 0 ? 0 : 4)
  const url = form.replaceAll('+', '-').replaceAll('/', '_')
  return form.length < 12 ? [] : url === form ? [form] : [form, url]
}
