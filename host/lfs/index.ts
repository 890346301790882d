export { listFilteredFiles, listLfsPointers, type PointerFile } from './filters.ts'
export {
  copyLfsContent,
  getLfsObject,
  isLfsContent,
  type LfsPointer,
  lfsConfig,
  lfsFilterFolder,
  parseLfsPointer,
} from './lfs.ts'
export { findLfsFolder } from './storage.ts'
