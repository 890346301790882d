/** What each file imports, resolved as Node resolves it. */
import path from 'node:path'
import { code, files, removeComments, type SourceFile } from './source-files.ts'

export interface Import {
  /** The file that imports. */
  from: string
  room: string
  /** As it is written: `#host/git`, `./git.ts`, `zod`. */
  specifier: string
  /** The file it names, from the top of the install; undefined for a package or a module of Node. */
  to: string | undefined
}

export function listImports({ file, room, text }: SourceFile): Import[] {
  const found = removeComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, specifier = '']) => ({ from: file, room, specifier, to: resolve(file, specifier) }))
}

export const imports = code.flatMap(listImports)

/** Imports from one room into another. */
export const crossings = imports.filter(({ to, room }) => to !== undefined && to.split('/')[0] !== room)

/** The package of a specifier: `@google/genai`, `zod`; undefined for files and for modules of Node. */
export function getPackage({ specifier }: Import): string | undefined {
  if (/^[.#]/.test(specifier) || specifier.startsWith('node:')) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(from), specifier)
  if (!specifier.startsWith('#')) return undefined
  const name = specifier.slice(1)
  return name.endsWith('.ts') ? name : `${name}/index.ts`
}

/** Groups of files that import each other in a circle, also by types alone. Each as `a -> b -> a`. */
export function findCircles(): string[] {
  const targets = new Map(files.map(file => [file, [] as string[]]))
  for (const { from, to } of imports) if (to !== undefined) targets.get(from)?.push(to)
  const circles: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (file: string, trail: string[]) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      circles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '))
      return
    }
    state.set(file, 'open')
    for (const to of targets.get(file) ?? []) visit(to, [...trail, file])
    state.set(file, 'done')
  }
  for (const file of targets.keys()) visit(file, [])
  return circles
}
