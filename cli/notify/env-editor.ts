import fs from 'node:fs'
import path from 'node:path'
import { isSettingName, settingDescriptions, settingsSchema } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { changeUserFile } from '#host/user-config'
/** Settings by their names, as they are to stand in `.env`. */
export type SettingValues = Record<string, string>

/**
 * Put these settings into `$DISPATCH_HOME/.env`: a name that stands there keeps its place, any other comes at the end. All
 * else stays byte for byte. A link is followed; only its owner may read the file from then on.
 */
export async function writeSettings(home: string, lines: SettingValues): Promise<void> {
  const file = path.join(home, '.env')
  makeFilePrivate(file)
  await changeUserFile(file, content => Buffer.from(applySettings(content?.toString() ?? '', lines)))
}

/** Is it a value that this setting takes, and that stands in a file without quotes? Says why not (exit 2). */
export function validateSetting(name: string, value: string): string {
  if (!isSettingName(name)) throw new Error(`${name} is no setting`)
  if (!settingsSchema.shape[name].safeParse(value).success)
    throw new DispatchError(`${name} must be ${settingDescriptions[name]}`, {
      exitCode: exitCodes.usage,
      remedy: 'Nothing was changed.',
    })
  if (/[\s#'"`\\]/.test(value))
    throw new DispatchError(`this value for ${name} needs quotes, and they are not written here`, {
      exitCode: exitCodes.usage,
      remedy: `Put ${name}='…' into .env yourself.`,
    })
  return value
}

/** The text of a settings file with these settings in it. Pure. */
export function applySettings(text: string, lines: SettingValues): string {
  return Object.entries(lines).reduce((before, [name, value]) => applySetting(before, name, value), text)
}

// --- internal ---

/** A value that settings take has no line break, so what stands there is one line; indent and comment of it stay. */
function applySetting(text: string, name: string, value: string): string {
  const found = buildLinePattern(name).exec(text)
  if (found) {
    const [whole, before = '', old = '', after = ''] = found
    if (/^['"`]/.test(old) && (old.length === 1 || !old.endsWith(old.charAt(0))))
      throw new DispatchError(`${name} in .env has a value of several lines`, {
        exitCode: exitCodes.usage,
        remedy: 'Take it out there, then run the command again. Nothing was changed.',
      })
    return `${text.slice(0, found.index)}${before}${name}=${value}${after}${text.slice(found.index + whole.length)}`
  }
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const between = text === '' || /[\r\n]$/.test(text) ? '' : end
  return `${text}${between}${name}=${value}${end}`
}

/** The line of this name: what stands before it, its value, and what comes after that. */
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
