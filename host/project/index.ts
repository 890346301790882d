export { proposeProject } from './detect.ts'
export { readInstructions } from './instructions.ts'
export {
  confirmProject,
  isProjectConfirmed,
  Project,
  type ProjectFile,
  projectFileName,
  readProject,
} from './project.ts'
