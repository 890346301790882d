export {
  agentVariableNames,
  buildCheckEnvironment,
  buildChildEnvironment,
  buildDependenciesEnvironment,
  buildFolder,
  buildProgramCommand,
  type Config,
  createConfigReader,
  exportSettings,
  installFolder,
  isBuilt,
  pickVariables,
  prepareHome,
  readConfig,
  readDefaultConfig,
  readEnvironmentConfig,
} from './config.ts'
export { createTopic } from './ntfy-topic.ts'
export { isSettingName, secretSettings, settingDescriptions, settingsSchema } from './settings.ts'
export { isBuildCurrent, writeSourceRecord } from './source-record.ts'
