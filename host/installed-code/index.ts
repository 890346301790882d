export { type DaemonRecord, readRunningDaemon, writeDaemonRecord } from './daemon-record.ts'
export { Code, isOtherBuild, isOutdated, readInstalledCode } from './installed-code.ts'
export { describeOutdatedPrograms, findOutdatedPrograms, type OutdatedPrograms } from './outdated.ts'
