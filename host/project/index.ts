export { selectCargoSources } from './cargo-sources.ts'
export { listComposeFiles } from './compose.ts'
export {
  type CredentialFile,
  findCredentialFiles,
  listSettingSecrets,
  readCredentialSecrets,
  resolveHomeFile,
} from './credentials.ts'
export { listDeeperProjects } from './deeper.ts'
export { type ProjectProposal, proposeProject } from './detect.ts'
export { listMissingLockfiles, matchesEntry } from './entries.ts'
export { readInstructions } from './instructions.ts'
export { listMissingPrograms } from './missing-programs.ts'
export { chooseModels } from './models.ts'
export {
  confirmProject,
  isProjectConfirmed,
  type ProjectFile,
  parseProject,
  projectFileName,
  readProject,
} from './project.ts'
export { Project, Service } from './schema.ts'
