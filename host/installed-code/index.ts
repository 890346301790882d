export { findClone, getVersionsFolder, isVersionName } from '../config/clone.ts'
export { type DaemonRecord, readRunningDaemon, writeDaemonRecord } from './daemon-record.ts'
export { Code, isOtherBuild, isOutdated, readCode, readInstalledCode } from './installed-code.ts'
export { describeOutdatedPrograms, findOutdatedPrograms, type OutdatedPrograms } from './outdated.ts'
export {
  buildDispatchCommand,
  buildInstalledCommand,
  CLONE_NAME,
  findInstalledFolder,
  getVersionFolder,
  getVersionName,
  listVersions,
  readPackageVersion,
  readVersionChoice,
  type VersionChoice,
  writeVersionChoice,
} from './versions.ts'
