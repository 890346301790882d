export {
  type Addition,
  installEntries,
  listChangedFiles,
  previewInstall,
  previewUninstall,
  resolveJournal,
  uninstallEntries,
} from './journal.ts'
export type { JsonEntry } from './json-merge.ts'
export { changeUserFile } from './locked-write.ts'
export type { TextBlock } from './text-block.ts'
