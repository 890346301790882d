export { type Installation, listInstallations, removeUnusedInstallations } from './prune.ts'
