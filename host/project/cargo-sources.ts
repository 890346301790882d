/**
 * Where cargo finds crates, of the text of a `config.toml`: the addresses of registries, and which source takes the place of another,
 * as a `config.toml`. Without them cargo does not find crates that are there already. No logins, also not in an address. Pure.
 */
export function selectCargoSources(text: string): string {
  let section = ''
  const lines = text.split('\n').flatMap(line => {
    const [, header] = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line) ?? []
    if (header !== undefined) {
      section = `${header.trim()}.`
      return []
    }
    const [, name = '', , table, value = ''] = assignment.exec(line) ?? []
    const own =
      table === undefined ? [[name, value]] : listEntries(table).map(([key, text]) => [`${name}.${key}`, text])
    return own.map(([key, text]) => [`${section}${key}`, text] as const)
  })
  return lines
    .filter(([key, value]) => sourceKeys.test(key) && !/:\/\/[^/"']*@/.test(value ?? ''))
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
}

// --- internal ---

const sourceKeys =
  /^(registries\.[\w-]+\.(index|protocol)|source\.([\w-]+|"[^"]*"|'[^']*')\.(registry|replace-with|git|branch|tag|rev|directory|local-registry))$/

/** `name = "value"` or `name = { key = "value" }`. */
const assignment = /^\s*([\w.-]+)\s*=\s*(\{(.*)\}|("[^"]*"|'[^']*'))/

function listEntries(table: string): [key: string, value: string][] {
  return [...table.matchAll(/([\w-]+)\s*=\s*("[^"]*"|'[^']*')/g)].map(([, key = '', value = '']) => [key, value])
}
