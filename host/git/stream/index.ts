export { GitStreamError, streamGit } from './stream-git.ts'
