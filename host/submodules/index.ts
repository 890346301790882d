export { findSubmodules, listSubmodules, packCommit } from './submodules.ts'
