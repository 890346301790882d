/** Is this a file of settings of a package tool at the top, one folder below, or in one of these folders itself? Pure. */
export function isToolSettings(file: string, folders: string[]): boolean {
  return (
    toolSettings.test(file) ||
    // The `./` is in the place of the one folder that the pattern allows.
    folders.some(folder => file.startsWith(`${folder}/`) && toolSettings.test(`./${file.slice(folder.length + 1)}`))
  )
}

/** What of a file is about registries: in a manifest only the sections about them, in a list the lines with an option. */
export function extractSettings(file: string, text: string): string {
  if (file.endsWith('pyproject.toml'))
    return (text.match(/^\[\[tool\.\w+\.(index|source)\]\]\n(?:(?!\[).*\n?)*/gm) ?? []).join('\n')
  if (file.endsWith('.txt'))
    return (text.match(/^(-i|--[\w-]*index-url|--find-links|.* @ |git\+).*$/gm) ?? []).join('\n')
  if (file.endsWith('Gemfile')) return (text.match(/^\s*source\b.*$/gm) ?? []).join('\n')
  return text
}

// --- internal ---

/** Settings of package tools in a repository, which may name registries, and variables with logins for them. */
const toolSettings =
  /^([^/]+\/)?(\.npmrc|\.yarnrc(\.yml)?|bunfig\.toml|pip\.conf|uv\.toml|pyproject\.toml|requirements[\w-]*\.txt|Gemfile|\.cargo\/config(\.toml)?|nuget\.config)$/i
