export { buildChildEnvironment, exportSettings } from './child-environment.ts'
export {
  buildFolder,
  buildProgramCommand,
  type Config,
  createConfigReader,
  installFolder,
  isBuilt,
  readConfig,
  readDefaultConfig,
  readEnvironmentConfig,
} from './config.ts'
export {
  agentVariableNames,
  buildCheckEnvironment,
  listCertificateFiles,
  listDependencyVariables,
  listUnsetVariables,
  pickVariables,
} from './environment.ts'
export { createTopic } from './ntfy-topic.ts'
export { prepareHome } from './prepare-home.ts'
export { describeSetting, isSettingName, secretSettings, settingsSchema } from './settings.ts'
export { isBuildCurrent, writeSourceRecord } from './source-record.ts'
