export { listTreeEntries } from '../git.ts'
export { findDownloadCommand } from '../partial-clone.ts'
export { archiveFiles } from './archive.ts'
