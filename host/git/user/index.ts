export { type CommitHooks, findCommitHooks, withCommitHooks } from './commit-hooks.ts'
export { commitAsUser, type NewCommit, type SigningOptions } from './user-commit.ts'
