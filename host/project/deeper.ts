import path from 'node:path'
import { listTreeEntries, type RepositoryCommit } from '../git/git.ts'
import { matchesEntry } from './entries.ts'
import type { Project } from './schema.ts'

/** The folders from below the top to this one: `a/b` gives `a` and `a/b`. Pure. */
export function listFoldersTo(subfolder: string | undefined): string[] {
  const steps = subfolder?.split('/') ?? []
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}

/**
 * Files below the folders that a proposal looks into that a package tool would know, the topmost first. Without those that a setup
 * covers: a command names their folder, or an entry the file, or a tool that it uses takes them as parts of the project above.
 */
export async function listDeeperProjects(
  repository: RepositoryCommit,
  { setup, lockfiles }: Pick<Project, 'setup' | 'lockfiles'> = { setup: [], lockfiles: [] },
): Promise<string[]> {
  const isCovered = (file: string) =>
    lockfiles.some(entry => matchesEntry(entry, file)) ||
    setup.some(command => goesTo(command, path.posix.dirname(file))) ||
    memberFiles.some(([name, tool]) => name.test(file) && setup.some(command => tool.test(command)))
  return (await listTreeEntries(repository))
    .map(entry => entry.path)
    .filter(file => file.split('/').length > 2 && toolFiles.test(path.posix.basename(file)) && !sideFolders.test(file))
    .filter(file => !isCovered(file))
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
}

// --- internal ---

/** Does a command name this folder, as a whole name? */
function goesTo(command: string, folder: string): boolean {
  return command.split(/[\s'"=;&|()]+/).some(word => path.posix.normalize(word).replace(/\/$/, '') === folder)
}

/** Modules and members of a workspace: the tool that installs the project above installs them too. */
const memberFiles: [file: RegExp, tool: RegExp][] = [
  [/(^|\/)pom\.xml$/, /\bmvnw?\b/],
  [/(^|\/)build\.gradle(\.kts)?$/, /\bgradlew?\b/],
  [/(^|\/)pyproject\.toml$/, /\b(uv|poetry|pdm|pip)\b/],
  [/(^|\/)packages\.lock\.json$/, /\bdotnet\b/],
]

const toolFiles =
  /^(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|(uv|poetry|pdm|Pipfile|Cargo|Gemfile|composer|mix)\.lock|requirements\.txt|pyproject\.toml|go\.mod|pom\.xml|build\.gradle(\.kts)?|packages\.lock\.json)$/

/** In these are copies and samples. */
const sideFolders = /(^|\/)(node_modules|vendor|examples?|fixtures|tests?|docs?|\.[\w-]+)\//
