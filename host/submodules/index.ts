export { findSubmodules, listSubmodules, packCommit, type Submodule } from './submodules.ts'
