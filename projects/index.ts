export { discoverRepositories, findTarget, type Target } from './discover.ts'
export {
  addProject,
  findProject,
  getProjectsFolder,
  listProjects,
  proposeNames,
  RegisteredProject,
  removeProject,
  updateProject,
} from './store.ts'
