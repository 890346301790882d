import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { copyTree } from '#host/fs'

/**
 * Copy a file or folder into a tree that an agent has written, unless the name exists there. Returns whether it was copied. A
 * link in the path could lead out of the tree, so it is refused (exit 13).
 */
export async function copyIntoTree(
  tree: string,
  name: string,
  source: string,
  transfer: (source: string, target: string) => void | Promise<void> = copyTree,
): Promise<boolean> {
  const steps = name.split('/')
  for (let depth = 1; depth < steps.length; depth++) {
    const parent = steps.slice(0, depth).join('/')
    const stat = fs.lstatSync(path.join(tree, parent), { throwIfNoEntry: false })
    if (stat && !stat.isDirectory())
      throw new DispatchError(`${name} cannot be copied into ${tree}: ${parent} is not a folder there`, {
        exitCode: exitCodes.integrity,
        remedy: `Remove ${parent} from the work, or ${name} from .dispatch.json.`,
      })
  }
  const target = path.join(tree, name)
  if (fs.lstatSync(target, { throwIfNoEntry: false })) return false
  fs.mkdirSync(path.dirname(target), { recursive: true })
  await transfer(source, target)
  return true
}
