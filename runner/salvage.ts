/**
 * The plain fields that stand in front of a JSON object, however it goes on: strings, numbers and words. A string that is
 * cut counts as far as it goes; objects and lists are passed over. Pure, and linear in the text.
 */
export function leadingFields(text: string): Record<string, unknown> {
  const fields: [string, unknown][] = []
  let at = /^\s*\{/.exec(text)?.[0].length ?? text.length
  while (at < text.length) {
    const name = match(/\s*,?\s*"([^"\\]{0,200})"\s*:\s*/y, text, at)
    if (!name) break
    const begins = at + name[0].length
    const value = plainAt(text, begins)
    if (value) fields.push([name[1] ?? '', value.is])
    at = value ? value.end : passed(text, begins)
  }
  return Object.fromEntries(fields)
}

/** A string, number or word at this place; undefined for anything else. */
function plainAt(text: string, at: number): { is: unknown; end: number } | undefined {
  const string = match(/"[^"\\]*(?:\\.[^"\\]*)*/sy, text, at)
  if (string) return { is: unquoted(string[0]), end: at + string[0].length + 1 }
  const plain = match(/(?:true|false|null|-?\d[\d.eE+-]*)(?=\s*[,}])/y, text, at)
  return plain ? { is: unquoted(plain[0], ''), end: at + plain[0].length } : undefined
}

/** Behind the object or list that begins here; the end of the text when it is cut, or is neither. */
function passed(text: string, at: number): number {
  if (!/[[{]/.test(text[at] ?? '')) return text.length
  let depth = 0
  for (let place = at; place < text.length; place++) {
    const sign = text[place]
    if (sign === '"') place += (match(/"[^"\\]*(?:\\.[^"\\]*)*/sy, text, place)?.[0].length ?? 1) as number
    else if (sign === '{' || sign === '[') depth++
    else if ((sign === '}' || sign === ']') && --depth === 0) return place + 1
  }
  return text.length
}

/** The value that is written there; what was cut in the middle of an escape loses that escape. */
function unquoted(written: string, quote = '"'): unknown {
  for (const end of [written, written.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')]) {
    try {
      return JSON.parse(end + quote)
    } catch {} // The next reading, or none.
  }
  return undefined
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
