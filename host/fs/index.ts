export { copyTree } from './copy-tree.ts'
export { deleteFolder } from './delete-folder.ts'
export {
  describeFreeSpace,
  FREE_SPACE_REMEDY,
  LOW_SPACE_BYTES,
  MIN_SPACE_BYTES,
  measureFreeSpace,
  requireFreeSpace,
} from './disk-space.ts'
export {
  appendLine,
  appendUntrusted,
  describeSpecialFile,
  isSocket,
  listNames,
  makePrivateFolder,
  readBytesIfPresent,
  readIfPresent,
  readJson,
  readStamp,
  readUntrusted,
  writeAtomic,
} from './files.ts'
export { detectFileSystem } from './filesystem-type.ts'
export { measureFolder } from './folder-size.ts'
export { toStorageError } from './storage-error.ts'
export { removeAdditions, takeSnapshot } from './tree-snapshot.ts'
