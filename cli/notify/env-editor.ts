import fs from 'node:fs'
import path from 'node:path'
import { describeSetting, isSettingName, settingsSchema } from '#host/config'
import { isErrno } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { changeUserFile } from '#host/user-config'
import { UsageError } from '../command.ts'

/** Values by the names of the settings, as they go into `.env`. */
export type SettingValues = Record<string, string>

/**
 * Write these settings to `$DISPATCH_HOME/.env`: a name that is there keeps its place, a new one comes at the end. All else
 * stays byte for byte. A link is followed; afterwards only the owner can read the file.
 */
export async function writeSettings(home: string, settings: SettingValues): Promise<void> {
  const file = path.join(home, '.env')
  makeFilePrivate(file)
  await changeUserFile(file, content => Buffer.from(applySettings(content?.toString() ?? '', settings)))
}

/** The value, if the setting accepts it and it needs no quotes in `.env`; otherwise exit 2 with the reason. */
export function validateSetting(name: string, value: string): string {
  if (!isSettingName(name)) throw new Error(`${name} is not a setting`)
  if (!settingsSchema.shape[name].safeParse(value).success)
    throw new UsageError(`${name} must be ${describeSetting(name)}`, 'Nothing was changed.')
  if (/[\s#'"`\\]/.test(value))
    throw new UsageError(
      `the value for ${name} needs quotes, which dispatch does not write`,
      `Put ${name}='…' into .env yourself.`,
    )
  return value
}

/** The text of a `.env` file with these settings. Pure. */
export function applySettings(text: string, settings: SettingValues): string {
  return Object.entries(settings).reduce((result, [name, value]) => applySetting(result, name, value), text)
}

// --- internal ---

/** Replaces the value in its line, and keeps the line's indent and comment. A value of several lines is left to its owner. */
function applySetting(text: string, name: string, value: string): string {
  const match = buildLinePattern(name).exec(text)
  if (match) {
    const [line, before = '', old = '', after = ''] = match
    if (/^['"`]/.test(old) && (old.length === 1 || !old.endsWith(old.charAt(0))))
      throw new UsageError(
        `${name} in .env has a value of several lines`,
        'Remove it there, then run the command again. Nothing was changed.',
      )
    return `${text.slice(0, match.index)}${before}${name}=${value}${after}${text.slice(match.index + line.length)}`
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const separator = text === '' || /[\r\n]$/.test(text) ? '' : eol
  return `${text}${separator}${name}=${value}${eol}`
}

/**
 * The line that sets this name, with three groups: indent and `export`, the value, and what follows it.
 * Examples: `NTFY_TOPIC=x # mine`, `  export NTFY_TOPIC = 'x'`, `NTFY_TOPIC: x`.
 */
function buildLinePattern(name: string): RegExp {
  const blank = '[^\\S\\r\\n]'
  const quoted = ['"', "'", '`'].map(quote => `${quote}[^${quote}\\r\\n]*${quote}`).join('|')
  return new RegExp(
    `(?<![^\\r\\n])(${blank}*(?:export${blank}+)?)${name}(?:${blank}*=|:(?=\\s))${blank}*` +
      `(${quoted}|[^\\r\\n]*?)(${blank}+#[^\\r\\n]*|${blank}*)(?![^\\r\\n])`,
  )
}

function makeFilePrivate(file: string): void {
  try {
    if ((fs.statSync(file).mode & 0o077) !== 0) fs.chmodSync(file, 0o600)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw toStorageError(file, error)
  }
}
