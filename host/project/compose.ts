import { listTreeEntries, type RepositoryCommit } from '../git/git.ts'

/** The files by which Docker Compose starts services, at the top of a commit or one folder below. */
export async function listComposeFiles(repository: RepositoryCommit): Promise<string[]> {
  const entries = await listTreeEntries(repository)
  return entries.map(({ path }) => path).filter(file => composeFile.test(file))
}

// --- internal ---

/** `compose.yaml`, `docker-compose.test.yml`, `ops/docker-compose-dev.yml`, `test.docker-compose.yaml`. */
const composeFile = /^([^/]+\/)?([\w.-]+[._-])?compose([._-][\w.-]+)?\.ya?ml$/
