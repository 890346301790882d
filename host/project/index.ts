export { proposeProject } from './detect.ts'
export { readInstructions } from './instructions.ts'
export {
  confirmProject,
  isProjectConfirmed,
  type ProjectFile,
  projectFileName,
  readProject,
} from './project.ts'
export { Project } from './schema.ts'
