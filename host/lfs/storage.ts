import path from 'node:path'
import { git } from '../git/git.ts'
import { runUserGit } from '../git/user/user-commit.ts'

/** The folder of objects where Git LFS of the user's repository keeps its content: by `lfs.storage` of any of their settings. */
export async function findLfsFolder(repository: string): Promise<string> {
  const gitFolder = await git(['rev-parse', '--path-format=absolute', '--git-common-dir'], { cwd: repository })
  const setting = await runUserGit(['config', '--type=path', '--get', 'lfs.storage'], { cwd: repository })
  const storage = setting.exitCode === 0 ? setting.stdout.replace(/\n$/, '') : ''
  return path.join(path.resolve(gitFolder, storage || 'lfs'), 'objects')
}
