export { buildCacheVariables, copyWrittenCaches, findSharedCaches } from './caches.ts'
export { addNamedToolchains, findToolchains } from './find.ts'
export { resolveInHome } from './folders.ts'
export { identifyToolchains } from './identity.ts'
export {
  copyHomeFiles,
  describeToolchain,
  explainComplaint,
  listSetupVariables,
  listToolchainPaths,
} from './pass-on.ts'
export { applySearchPath, buildSessionEnvironment, leaveOutCheckout, listPythonsOfCheckout } from './search-path.ts'
export { noToolchains, Toolchains } from './toolchains.ts'
