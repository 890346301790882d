export {
  installEntries,
  listChangedFiles,
  previewInstall,
  previewUninstall,
  resolveJournal,
  uninstallEntries,
} from './journal.ts'
export type { JsonEntry } from './json-merge.ts'
export { changeUserFile } from './locked-write.ts'
