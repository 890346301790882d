export { listTreeEntries } from '../git.ts'
export { archiveCommit } from './archive.ts'
