import path from 'node:path'
import { listTreeEntries, type RepositoryCommit } from '../git/git.ts'

/** The folders from below the top to this one: `a/b` gives `a` and `a/b`. Pure. */
export function listFoldersTo(subfolder: string | undefined): string[] {
  const steps = subfolder?.split('/') ?? []
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}

/** Files below the folders that a proposal looks into that a package tool would know, the topmost first. */
export async function listDeeperProjects(repository: RepositoryCommit): Promise<string[]> {
  return (await listTreeEntries(repository))
    .map(entry => entry.path)
    .filter(file => file.split('/').length > 2 && toolFiles.test(path.posix.basename(file)) && !sideFolders.test(file))
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
}

// --- internal ---

const toolFiles =
  /^(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|(uv|poetry|pdm|Pipfile|Cargo|Gemfile|composer|mix)\.lock|requirements\.txt|pyproject\.toml|go\.mod|pom\.xml|build\.gradle(\.kts)?|packages\.lock\.json)$/

/** In these are copies and samples. */
const sideFolders = /(^|\/)(node_modules|vendor|examples?|fixtures|tests?|docs?|\.[\w-]+)\//
