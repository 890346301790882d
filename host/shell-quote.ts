/** The text as one word of `sh`: as it is where it is harmless, else in single quotes. */
export function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** A pattern of `case` in `sh` that matches exactly this text. */
export function escapeShellPattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
