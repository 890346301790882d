import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'

/**
 * Rewrite a source for the build: what it imports from a face (`#host/git`) it imports from the files behind it. esbuild puts
 * everything behind a face that one program uses into every program that names the face, so `dispatch "task"` would load 150
 * files that it never uses (docs/decisions/0061). Pure but for the faces that it reads.
 */
export function openFaces(file: string, source: string): string {
  const opened = source.replace(IMPORT, (statement: string, names: string, specifier: string) => {
    const face = findFace(specifier)
    if (face === undefined) return statement
    const behind = listExports(face)
    const groups = Map.groupBy(splitNames(names), ({ name }) => behind.get(name)?.file ?? specifier)
    return [...groups]
      .map(([from, imported]) => {
        const words = imported.map(({ name, alias }) => `${behind.get(name)?.name ?? name} as ${alias}`)
        return `import { ${words.join(', ')} } from ${JSON.stringify(from)}`
      })
      .join('; ')
  })
  // What such a face has itself is imported from it, and must not bring the rest along.
  return OWN_CODE.test(source) && isFace(file) ? opened.replace(EXPORT, '') : opened
}

// --- internal ---

const IMPORT = /^import \{([^}]*)\} from ["'](#[^"']+)["']/gm
const EXPORT = /^export \{([^}]*)\} from ["'](\.[^"']+)["']/gm
const OWN_CODE = /^export (async )?(function|const|class) /m

interface ImportedName {
  name: string
  alias: string
}

const packageFile = JSON.parse(fs.readFileSync(path.join(installFolder, 'package.json'), 'utf8'))
const importMap: Record<string, string> = packageFile.imports

/** The file of a face; undefined for what names a file. */
function findFace(specifier: string): string | undefined {
  if (specifier.endsWith('.ts')) return undefined
  const parent = `${path.posix.dirname(specifier)}/*`
  const target = importMap[specifier] ?? importMap[parent]?.replace('*', path.posix.basename(specifier))
  return target === undefined ? undefined : path.join(installFolder, target)
}

function isFace(file: string): boolean {
  return Object.values(importMap).some(
    target => path.join(installFolder, target.replace('*', path.basename(path.dirname(file)))) === file,
  )
}

const knownExports = new Map<string, Map<string, { file: string; name: string }>>()

/** Each name of a face, with the file behind it and its name there. */
function listExports(face: string): Map<string, { file: string; name: string }> {
  const known = knownExports.get(face)
  if (known) return known
  const found = [...fs.readFileSync(face, 'utf8').matchAll(EXPORT)].flatMap(([, names = '', from = '']) =>
    splitNames(names).map(({ name, alias }) => [alias, { file: path.join(path.dirname(face), from), name }] as const),
  )
  knownExports.set(face, new Map(found))
  return new Map(found)
}

/** The values among these names: no types. Pure. */
function splitNames(names: string): ImportedName[] {
  return names
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '' && !word.startsWith('type '))
    .map(word => {
      const [name = '', alias = name] = word.split(/\s+as\s+/)
      return { name, alias }
    })
}
