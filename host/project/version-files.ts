/**
 * The files that a Python package gets its version written into when it is built, from its `pyproject.toml`: those of setuptools-scm
 * and hatch-vcs, by their paths from that file. Pure.
 */
export function listVersionFiles(pyproject: string): string[] {
  const found = versionSettings.flatMap(({ section, key }) => {
    const [, lines = ''] = section.exec(pyproject) ?? []
    return key.exec(lines)?.[2] ?? []
  })
  return [...new Set(found)]
}

// --- internal ---

const versionSettings = [
  {
    section: /^\[tool\.setuptools_scm\]\s*\n((?:(?!\[).*\n?)*)/m,
    key: /^\s*(?:version_file|write_to)\s*=\s*(["'])([^"'\n]+)\1/m,
  },
  {
    section: /^\[tool\.hatch\.build\.hooks\.vcs\]\s*\n((?:(?!\[).*\n?)*)/m,
    key: /^\s*version-file\s*=\s*(["'])([^"'\n]+)\1/m,
  },
]
