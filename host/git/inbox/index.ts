export { excludePattern, isGitAtWork, listTrackedBelow } from './inbox-folder.ts'
