export { copyTree } from './copy-tree.ts'
export {
  appendLine,
  appendUntrusted,
  describeSpecialFile,
  listNames,
  makePrivateFolder,
  readBytesIfPresent,
  readIfPresent,
  readJson,
  readStamp,
  readUntrusted,
  toStorageError,
  writeAtomic,
} from './files.ts'
export { detectFileSystem } from './filesystem-type.ts'
export { removeAdditions, type TreeSnapshot, takeSnapshot } from './tree-snapshot.ts'
